//! `newswire top`: the same as the status page, live in a terminal. Reads the database, so it works
//! beside a running daemon and without one; prints once and ends where there is no terminal.

mod keys;
mod screen;
mod snapshot;
mod view;

use std::io::{self, IsTerminal as _, Read as _, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{self, Clear, ClearType};
use crossterm::{cursor, execute, queue};
use jiff::{SignedDuration, Timestamp};

use self::screen::{Ink, Line, Size, draw};
use self::snapshot::Snapshot;
use self::view::View;
use crate::clock::Clock;
use crate::health::judge_all;
use crate::store::{self, Reader};

/// Between two looks at the database.
const EVERY: Duration = Duration::from_secs(2);
/// Between two looks at the size of the terminal.
const RESIZED: Duration = Duration::from_millis(250);
/// What is printed where there is no terminal: as wide as this, and as long as it takes.
const PRINTED: u16 = 120;

/// Why there is nothing to be seen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database fails.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The terminal does.
    #[error("the terminal cannot be used: {0}: try 'newswire top | cat', which prints once")]
    Terminal(#[from] io::Error),
}

crate::model::codes! {
    Error:
    Self::Terminal(_) => "no_terminal",
    ;
    Self::Store(error) => error,
}

/// Shows all feeds until the person at the terminal has seen enough.
///
/// # Errors
/// When the database or the terminal fails.
pub fn run(reader: &Reader, clock: &Clock) -> Result<(), Error> {
    let mut out = io::stdout();
    if !out.is_terminal() || !io::stdin().is_terminal() {
        let snapshot = look(reader, clock.now())?;
        let rows = u16::try_from(snapshot.feeds.len()).unwrap_or(u16::MAX).saturating_add(20);
        let size = Size { columns: PRINTED, rows };
        for line in draw(&snapshot, &View::printed(), size) {
            let text: String = line.iter().map(|(_, text)| text.as_str()).collect();
            // Whoever went away has read enough.
            if writeln!(out, "{}", text.trim_end()).is_err() {
                break;
            }
        }
        return Ok(());
    }
    let _screen = Screen::enter()?;
    watch(reader, clock, &mut out)
}

/// The loop: draws, waits for a key or for time to pass, looks again.
fn watch(reader: &Reader, clock: &Clock, out: &mut impl Write) -> Result<(), Error> {
    let ink = if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        Colours::None
    } else {
        Colours::All
    };
    let (mut view, mut snapshot) = (View::default(), look(reader, clock.now())?);
    let (typed, mut next) = (typed(), clock.elapsed() + EVERY);
    loop {
        let (columns, rows) = terminal::size()?;
        paint(out, &draw(&snapshot, &view, Size { columns, rows }), rows, ink)?;
        // Not longer, so that another size of the terminal is noticed.
        let wait = next.saturating_sub(clock.elapsed()).min(RESIZED);
        match typed.recv_timeout(wait) {
            Ok(bytes) => {
                for key in keys::read(&bytes) {
                    if !view.press(key, &snapshot) {
                        return Ok(());
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        if clock.elapsed() >= next {
            next = clock.elapsed() + EVERY;
            if !view.paused {
                snapshot = look(reader, clock.now())?;
            }
        }
    }
}

fn look(reader: &Reader, now: Timestamp) -> Result<Snapshot, store::Error> {
    let since = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    reader.read(|reader| {
        let (feeds, hours) = (judge_all(reader.feed_statuses()?, now), reader.poll_hours(since)?);
        Ok(Snapshot { now, feeds, hours })
    })
}

/// What is typed, as it is typed; the thread ends with the process, for nothing ends a read.
fn typed() -> Receiver<Vec<u8>> {
    let (sender, typed) = channel();
    std::thread::spawn(move || {
        let (mut input, mut bytes) = (io::stdin().lock(), [0; 256]);
        while let Ok(length @ 1..) = input.read(&mut bytes) {
            if sender.send(bytes[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    typed
}

/// Which colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colours {
    All,
    None,
}

/// Puts the lines on the screen, without clearing it first: so nothing flickers.
fn paint(out: &mut impl Write, lines: &[Line], rows: u16, colours: Colours) -> io::Result<()> {
    queue!(out, cursor::Hide)?;
    for (row, line) in (0..rows).zip(lines) {
        queue!(out, cursor::MoveTo(0, row))?;
        for (ink, text) in line {
            let colour = match ink {
                Ink::Plain | Ink::Bold => None,
                Ink::Quiet => Some(Color::DarkGrey),
                Ink::Good => Some(Color::Green),
                Ink::Warn => Some(Color::Yellow),
                Ink::Bad => Some(Color::Red),
            };
            if *ink == Ink::Bold {
                queue!(out, SetAttribute(Attribute::Bold))?;
            }
            if let Some(colour) = colour.filter(|_| colours == Colours::All) {
                queue!(out, SetForegroundColor(colour))?;
            }
            queue!(out, Print(text))?;
            if colours == Colours::All {
                queue!(out, ResetColor)?;
            }
            if *ink == Ink::Bold {
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

/// The terminal as we have it; given back as it was when this is dropped, also in a panic.
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
