//! The program: runs the command line and exits with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    newswire::cli::main().into()
}
