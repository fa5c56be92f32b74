//! ONE publication of ONE output: candidates from the store > select > render > check > write > shelf.
