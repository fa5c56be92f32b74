//! A local origin: scripted routes, and a raw mode that lies, stalls and cuts.
