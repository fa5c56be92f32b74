//! Resources of this process, from `/proc/self`. Without procfs there are no values.

use std::fs;

/// Resource usage of this process at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Process {
    pub(super) cpu_seconds: f64,
    pub(super) resident_bytes: u64,
    pub(super) virtual_bytes: u64,
    pub(super) open_fds: u64,
    pub(super) max_fds: u64,
    pub(super) threads: u64,
}

impl Process {
    /// Reads the current values; `None`: no procfs.
    pub(super) fn read() -> Option<Self> {
        let stat = Stat::parse(&fs::read_to_string("/proc/self/stat").ok()?)?;
        // One of them is the directory that is being read.
        let open_fds = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
        Some(Self {
            cpu_seconds: stat.ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
            resident_bytes: stat.resident_pages * rustix::param::page_size() as u64,
            virtual_bytes: stat.virtual_bytes,
            open_fds: open_fds as u64,
            max_fds: max_fds().unwrap_or_default(),
            threads: stat.threads,
        })
    }
}

/// The fields of `/proc/self/stat` that are used.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    ticks: u64,
    threads: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn parse(line: &str) -> Option<Self> {
        // proc(5): the second field is the name in brackets, and may have anything in it.
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            ticks: field(14)? + field(15)?,
            threads: field(20)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

/// Maximum number of open file descriptors of this process; `None`: unknown or unlimited.
#[must_use]
pub fn max_fds() -> Option<u64> {
    soft_limit(&fs::read_to_string("/proc/self/limits").ok()?)
}

fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_brackets_and_spaces_moves_no_field() {
        let line =
            "42 (a) b (c) S 1 42 42 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 7 0 88 1048576 300 18 1 2";
        let stat = Stat { ticks: 200, threads: 7, virtual_bytes: 1_048_576, resident_pages: 300 };
        assert_eq!(Stat::parse(line), Some(stat));
        assert_eq!(Stat::parse("42 (a) S 1"), None);
    }

    #[test]
    fn an_unlimited_number_of_files_is_no_limit() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  4096  files\n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(soft_limit("Max open files  unlimited  unlimited  files\n"), None);
    }

    #[test]
    fn the_resources_of_this_process_are_plausible() {
        let Some(process) = Process::read() else { return };
        assert!(
            process.resident_bytes > 1 << 20 && process.virtual_bytes >= process.resident_bytes
        );
        assert!(process.open_fds >= 3 && process.threads >= 1 && process.cpu_seconds >= 0.0);
    }
}
