//! `newswire top`: the state of all feeds, live in a terminal. Only reads the database, so it works with and
//! without a running daemon. Without a terminal it prints once and exits.

mod screen;
mod view;

use std::io::{self, IsTerminal as _, Read as _, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{self, Clear, ClearType};
use crossterm::{cursor, execute, queue};
use jiff::{SignedDuration, Timestamp};

use self::screen::{Line, Size, Snapshot, TextStyle, draw};
use self::view::View;
use super::known;
use super::terminal::print;
use crate::clock::Clock;
use crate::config;
use crate::health::judge_all;
use crate::store::{self, Reader};

/// Time between two reads of the database.
const REFRESH: Duration = Duration::from_secs(2);
/// Time between two checks of the size of the terminal.
const SIZE_CHECK: Duration = Duration::from_millis(250);
/// Width of the output without a terminal, in columns.
const PRINTED_WIDTH: u16 = 120;

/// Why the display failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading the database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The terminal cannot be used.
    #[error("cannot use the terminal: {0}")]
    Terminal(#[from] io::Error),
}

crate::model::codes! {
    Error:
    Self::Terminal(_) => "no_terminal": "'newswire top | cat' prints once without a terminal",
    ;
    Self::Store(error) => error,
}

/// Shows all feeds until the user quits.
///
/// # Errors
/// When the database or the terminal fails.
pub(super) fn run(source: Source<'_>, clock: &Clock) -> Result<(), Error> {
    let mut out = io::stdout();
    if !out.is_terminal() || !io::stdin().is_terminal() {
        let snapshot = source.snapshot(clock.now())?;
        let rows = u16::try_from(snapshot.feeds.len()).unwrap_or(u16::MAX).saturating_add(20);
        let size = Size { columns: PRINTED_WIDTH, rows };
        let text = |line: &Line| line.iter().map(|(_, text)| text.as_str()).collect::<String>();
        let lines = draw(&snapshot, &View::printed(), size);
        let lines = lines.iter().map(|line| format!("{}\n", text(line).trim_end()));
        print(&lines.collect::<String>());
        return Ok(());
    }
    let _screen = Screen::enter()?;
    watch(source, clock, &mut out)
}

/// Draws, waits for a key or for the next refresh, and repeats.
fn watch(source: Source<'_>, clock: &Clock, out: &mut impl Write) -> Result<(), Error> {
    let colours = if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        Colours::None
    } else {
        Colours::All
    };
    let (mut view, mut shown) = (View::default(), source.snapshot(clock.now())?);
    let (input, mut next) = (input(), clock.elapsed() + REFRESH);
    loop {
        let (columns, rows) = terminal::size()?;
        paint(out, &draw(&shown, &view, Size { columns, rows }), rows, colours)?;
        let wait = next.saturating_sub(clock.elapsed()).min(SIZE_CHECK);
        match input.recv_timeout(wait) {
            Ok(bytes) => {
                for key in view::keys(&bytes) {
                    if !view.press(key, &shown) {
                        return Ok(());
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        if clock.elapsed() >= next {
            next = clock.elapsed() + REFRESH;
            if !view.paused {
                // A reader that was opened on a full disk does not see what a daemon writes later.
                let reader = Reader::open(source.reader.path());
                let reader = reader.as_ref().unwrap_or(source.reader);
                shown = Source { reader, ..source }.snapshot(clock.now())?;
            }
        }
    }
}

/// What is shown: the feeds of a database as the config has them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// The database.
    pub(super) reader: &'a Reader,
    /// Path of the config, which may change meanwhile.
    pub(super) config: &'a Path,
}

impl Source<'_> {
    fn snapshot(self, now: Timestamp) -> Result<Snapshot, store::Error> {
        let since = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
        let config = config::load(self.config).config;
        self.reader.read(|reader| {
            let feeds = judge_all(known::statuses(config.as_ref(), reader, now)?, now);
            Ok(Snapshot { now, feeds, hours: reader.poll_hours(since)? })
        })
    }
}

/// The bytes from standard input. The thread ends with the process, because a read cannot be cancelled.
fn input() -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let (mut input, mut bytes) = (io::stdin().lock(), [0; 256]);
        while let Ok(length @ 1..) = input.read(&mut bytes) {
            if sender.send(bytes[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colours {
    All,
    None,
}

/// Draws the lines. The screen is not cleared before, which would flicker.
fn paint(out: &mut impl Write, lines: &[Line], rows: u16, colours: Colours) -> io::Result<()> {
    queue!(out, cursor::Hide)?;
    for (row, line) in (0..rows).zip(lines) {
        queue!(out, cursor::MoveTo(0, row))?;
        for (style, text) in line {
            let colour = match style {
                TextStyle::Plain | TextStyle::Bold => None,
                TextStyle::Dim => Some(Color::DarkGrey),
                TextStyle::Good => Some(Color::Green),
                TextStyle::Warning => Some(Color::Yellow),
                TextStyle::Bad => Some(Color::Red),
            };
            if *style == TextStyle::Bold {
                queue!(out, SetAttribute(Attribute::Bold))?;
            }
            if let Some(colour) = colour.filter(|_| colours == Colours::All) {
                queue!(out, SetForegroundColor(colour))?;
            }
            queue!(out, Print(text))?;
            if colours == Colours::All {
                queue!(out, ResetColor)?;
            }
            if *style == TextStyle::Bold {
                queue!(out, SetAttribute(Attribute::Reset))?;
            }
        }
        queue!(out, Clear(ClearType::UntilNewLine))?;
    }
    let below = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    if below < rows {
        queue!(out, cursor::MoveTo(0, below), Clear(ClearType::FromCursorDown))?;
    }
    out.flush()
}

/// The terminal in raw mode on its alternate screen; restored on drop, also in a panic.
struct Screen;

impl Screen {
    fn enter() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        let screen = Self;
        execute!(io::stdout(), terminal::EnterAlternateScreen)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), terminal::LeaveAlternateScreen, cursor::Show, ResetColor);
        let _ = terminal::disable_raw_mode();
    }
}
