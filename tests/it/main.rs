//! The one integration binary: a local origin, real SQLite in a temp folder, no network, no sleep.

mod support;

mod archive;
mod backup;
mod canary;
mod carriers;
mod cli;
mod config;
mod crash;
mod daemon;
mod damage;
mod docs;
mod errors;
mod events;
mod exits;
mod explain;
mod faults;
mod fetch;
mod first;
mod floods;
mod following;
mod house;
mod ids;
mod json;
mod ledger;
mod lists;
mod manners;
mod mistakes;
mod monitoring;
mod month;
mod outputs;
mod poll;
mod readme;
mod redirects;
mod reload;
mod sameness;
mod scarcity;
mod service;
mod silence;
mod stories;

mod tls;
mod trouble;
mod web;
mod writes;
