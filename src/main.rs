//! Parses the arguments, runs, and exits with what came of it.

use std::process::ExitCode;

fn main() -> ExitCode {
    newswire::cli::main().into()
}
