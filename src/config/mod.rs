//! Reads the TOML file into the settings of the rooms below.
