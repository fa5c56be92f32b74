//! A world in a temp folder: manual clock, real store, real fetcher, scripted origin.
