//! The long-lived process: loop, drain, sd_notify.
