//! A simulated month of 200 feeds on servers of every kind, polled by a daemon or by cron, with jumps of the clock,
//! restarts and an outage. The log of all requests is compared with the rules of the schedule.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use newswire::clock::Moment;
use newswire::model::{
    ClockMark, Failure, FailureKind, FeedId, FeedKey, FetchOutcome, Freshness, Hints, Publishing,
    ReasonKind, StoredPlan,
};
use newswire::schedule::{
    ClockChange, HostLimit, Inputs, IntervalMode, LastOutcome, NetworkMonitor, NetworkState,
    PollCost, Queue, QueueStep, Settings, UnconditionalWait, clock_change, learned, plan, resume,
    while_offline,
};

const FEEDS: i64 = 200;
const DAYS: i64 = 30;
const DAY: i64 = 86_400;
const MINUTE: i64 = 60;
const SPACING: Duration = Duration::from_secs(2);
/// Time between two passes of cron.
const PASS: i64 = 15 * MINUTE;
/// Wall clock at the start, in seconds since 1970.
const START: i64 = 1_750_000_000;

/// Behaviour of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Temper {
    Plain,
    Fresh,
    Ttl,
    SkipsNights,
    Throttles,
    Fails,
    Flaky,
    Gone,
    NotThere,
    NoValidators,
    Refuses,
}

const TEMPERS: [Temper; 12] = [
    Temper::Plain,
    Temper::Fresh,
    Temper::Plain,
    Temper::Ttl,
    Temper::SkipsNights,
    Temper::Throttles,
    Temper::Fails,
    Temper::Flaky,
    Temper::Gone,
    Temper::NotThere,
    Temper::NoValidators,
    Temper::Refuses,
];

/// Hours between two items of a feed; 0: it stopped publishing a year ago.
const GAPS: [i64; 8] = [1, 6, 12, 24, 72, 168, 720, 0];
/// Items of a document.
const ITEMS: i64 = 15;
/// Bytes of a complete response and of a 304.
const DOCUMENT: u64 = 30_000;
const NO_DOCUMENT: u64 = 300;

/// A request with its response, in seconds of the monotonic clock.
struct Asked {
    at: i64,
    /// Earliest time of the next request, as set by the server.
    promise: i64,
    bytes: u64,
    /// Time of the response.
    ends: i64,
}

struct Feed {
    id: FeedId,
    host: String,
    temper: Temper,
    /// Duration of an exchange, in seconds.
    exchange: i64,
    /// Seconds between two items; 0: it publishes nothing.
    gap: i64,
    failures: u32,
    stored: StoredPlan,
    log: Vec<Asked>,
    /// Number of the newest item that was seen; `None`: no document was read yet.
    seen: Option<i64>,
    /// New items after the first poll, and the sum of their delays in seconds.
    news: i64,
    delays: i64,
}

/// What a server answers.
struct Answer {
    outcome: FetchOutcome,
    freshness: Freshness,
    hints: Hints,
    promise: i64,
    bytes: u64,
}

impl Feed {
    fn new(n: i64) -> Self {
        // A quarter of the feeds is on one host.
        let host = if n % 4 == 0 { "crowd.test".to_owned() } else { format!("h{n}.test") };
        let index = usize::try_from(n).unwrap();
        let stored = StoredPlan {
            next_poll_at: Timestamp::UNIX_EPOCH,
            last_poll_at: None,
            reason: ReasonKind::New,
        };
        Self {
            id: FeedId::new(&format!("feed-{n}")).unwrap(),
            host,
            temper: TEMPERS[index % TEMPERS.len()],
            exchange: if n % 5 == 0 { 10 } else { 1 },
            gap: GAPS[index / 3 % GAPS.len()] * 3600,
            failures: 0,
            stored,
            log: Vec::new(),
            seen: None,
            news: 0,
            delays: 0,
        }
    }

    /// Number of the newest item at this time.
    fn newest(&self, at: i64) -> i64 {
        if self.gap == 0 { 0 } else { (START + at) / self.gap }
    }

    /// Dates of the items of the document.
    fn times(&self, at: i64) -> Vec<Timestamp> {
        let (gap, newest) = match self.gap {
            0 => (DAY, START - 365 * DAY),
            gap => (gap, self.newest(at) * gap),
        };
        (0..ITEMS).map(|n| Timestamp::from_second(newest - n * gap).unwrap()).collect()
    }

    /// Takes the new items. Returns whether there were any.
    fn take_news(&mut self, at: i64) -> bool {
        let newest = self.newest(at);
        let seen = self.seen.replace(newest);
        for n in seen.unwrap_or(newest)..newest {
            self.news += 1;
            self.delays += START + at - (n + 1) * self.gap;
        }
        seen.is_none_or(|seen| newest > seen)
    }

    /// The answer to the next request.
    fn answer(&mut self, at: i64) -> Answer {
        let (nth, mut freshness, mut hints) =
            (self.log.len(), Freshness::default(), Hints::default());
        let (mut promise, mut bytes) = (at, NO_DOCUMENT);
        let failed = |kind| FetchOutcome::Failed(Failure::new(kind, "x"));
        let temper = self.temper;
        let outcome = match temper {
            Temper::Throttles if nth % 5 == 0 => {
                freshness.retry_after = Some(SignedDuration::from_hours(9));
                promise = at + 9 * 3600;
                FetchOutcome::Throttled
            }
            Temper::Fails => failed(FailureKind::ServerError),
            Temper::Flaky if nth % 3 == 0 => failed(FailureKind::Timeout),
            Temper::Gone => FetchOutcome::Gone,
            Temper::NotThere => failed(FailureKind::NotFound),
            _ if self.take_news(at) => FetchOutcome::Modified,
            _ => FetchOutcome::NotModified,
        };
        match self.temper {
            Temper::Fresh => {
                freshness.remaining = Some(SignedDuration::from_hours(7));
                promise = at + 7 * 3600;
            }
            Temper::Ttl => {
                hints.ttl = Some(3 * 3600);
                promise = at + 3 * 3600;
            }
            Temper::SkipsNights => hints.skip_hours = (0..6).collect(),
            _ => {}
        }
        if outcome == FetchOutcome::Modified || self.cost() == PollCost::Complete {
            bytes = DOCUMENT;
        }
        Answer { outcome, freshness, hints, promise, bytes }
    }

    fn cost(&self) -> PollCost {
        match self.temper {
            Temper::NoValidators | Temper::Refuses => PollCost::Complete,
            _ => PollCost::Conditional,
        }
    }

    fn requests_a_day(&self) -> f64 {
        self.log.len() as f64 / DAYS as f64
    }
}

/// What polls the feeds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Process {
    Daemon,
    Cron,
}

/// One simulated month.
struct Month {
    settings: Settings,
    process: Process,
    /// Changes of the wall clock: at this time it is set by this number of seconds.
    jumps: Vec<(i64, i64)>,
    /// Times at which the daemon is started again.
    restarts: Vec<i64>,
    /// Time without a network.
    outage: Range<i64>,
    network: NetworkMonitor,
    /// The clock that the stored times are by.
    mark: Option<ClockMark>,
    /// Last polls of the feeds since the last success of any feed.
    unsuccessful: HashMap<FeedKey, LastOutcome>,
    /// Feeds that a poll of another feed gave a new time.
    replanned: Vec<(FeedKey, Timestamp)>,
    feeds: Vec<Feed>,
}

impl Month {
    fn new(process: Process, mode: IntervalMode) -> Self {
        Self {
            settings: Settings { interval_mode: mode, ..Settings::default() },
            process,
            jumps: Vec::new(),
            restarts: Vec::new(),
            outage: 0..0,
            network: NetworkMonitor::default(),
            mark: None,
            unsuccessful: HashMap::new(),
            replanned: Vec::new(),
            feeds: (0..FEEDS).map(Feed::new).collect(),
        }
    }

    fn moment(&self, elapsed: i64) -> Moment {
        let jumps = self.jumps.iter().filter(|(at, _)| *at <= elapsed).map(|(_, by)| by);
        let wall = Timestamp::from_second(START + elapsed + jumps.sum::<i64>()).unwrap();
        let elapsed = Duration::from_secs(elapsed.unsigned_abs());
        Moment { wall, elapsed, since_boot: elapsed }
    }

    /// Moves the stored times with the clock, as each process does at its start and after a jump.
    fn follow_clock(&mut self, now: i64) {
        let last = self.feeds.iter().filter_map(|feed| feed.stored.last_poll_at).max();
        let change = clock_change(self.mark.as_ref(), "one".to_owned(), last, self.moment(now));
        let (mark, by) = match change {
            ClockChange::Keep => return,
            ClockChange::Adopt(mark) => (mark, SignedDuration::ZERO),
            ClockChange::Move(mark, by) => (mark, by),
        };
        self.mark = Some(mark);
        for feed in &mut self.feeds {
            let stored = &mut feed.stored;
            stored.last_poll_at = stored.last_poll_at.map(|at| at + by);
            if stored.next_poll_at > Timestamp::UNIX_EPOCH {
                stored.next_poll_at += by;
            }
        }
    }

    /// A queue of all feeds, or of those that are due, as a process has it at its start.
    fn queue(&mut self, now: i64) -> Queue {
        self.follow_clock(now);
        let wall = self.moment(now).wall;
        self.network = NetworkMonitor::default();
        let mut queue = Queue::new(64, Duration::ZERO);
        for (n, feed) in (0..).zip(&mut self.feeds) {
            let resumed = resume(feed.stored, wall);
            let due = match self.process {
                Process::Daemon => resumed.due,
                Process::Cron if resumed.moved => {
                    feed.stored.next_poll_at = resumed.due;
                    continue;
                }
                Process::Cron if resumed.due > wall => continue,
                Process::Cron => wall,
            };
            queue.add(FeedKey(n), &feed.host, HostLimit { at_once: 1, spacing: SPACING }, due);
        }
        queue
    }

    /// Asks one feed. Returns the time of its next poll.
    fn poll(&mut self, key: FeedKey, now: i64) -> Timestamp {
        let ends = self.ends(key, now);
        let (asked, ended) = (self.moment(now).wall, self.moment(ends));
        let feed = &mut self.feeds[usize::try_from(key.0).unwrap()];
        let offline = self.outage.contains(&now);
        let answer = if offline {
            let outcome = FetchOutcome::Failed(Failure::new(FailureKind::Resolver, "x"));
            let (freshness, hints) = (Freshness::default(), Hints::default());
            Answer { outcome, freshness, hints, promise: now, bytes: 0 }
        } else {
            feed.answer(now)
        };
        let (promise, bytes) = (answer.promise, answer.bytes);
        feed.log.push(Asked { at: now, promise, bytes, ends });
        let this = last_outcome(key, feed, &answer);
        let others: Vec<LastOutcome> =
            self.unsuccessful.values().filter(|other| other.feed != key).cloned().collect();
        let judgement = self.network.judge(&this, &others, &(asked..=ended.wall));
        match answer.outcome.is_success() {
            true => self.unsuccessful.clear(),
            false => drop(self.unsuccessful.insert(key, this)),
        }
        let planned = if judgement.state == NetworkState::Offline {
            while_offline(&feed.id, ended.wall)
        } else {
            feed.failures = if answer.outcome.is_success() { 0 } else { feed.failures + 1 };
            let known = !matches!(feed.temper, Temper::Fails | Temper::Gone | Temper::NotThere);
            let publishing = Publishing { times: feed.times(now), polls: Vec::new() };
            let learned = || learned(&publishing, self.settings.interval, feed.cost(), ended.wall);
            let day = Duration::from_secs(DAY.unsigned_abs());
            plan(&Inputs {
                settings: &self.settings,
                feed: &feed.id,
                outcome: &answer.outcome,
                failures: feed.failures,
                freshness: answer.freshness,
                hints: &answer.hints,
                learned: known.then(learned).flatten(),
                promise: None,
                unconditional: (feed.temper == Temper::Refuses)
                    .then_some(UnconditionalWait::Rest { rest: day, why: "x" }),
                now: ended.wall,
            })
        };
        feed.stored = StoredPlan {
            next_poll_at: planned.at,
            last_poll_at: Some(asked),
            reason: planned.reason.kind,
        };
        for (key, id) in judgement.exonerated {
            let other = &mut self.feeds[usize::try_from(key.0).unwrap()];
            other.failures = other.failures.saturating_sub(1);
            other.stored.next_poll_at = while_offline(&id, ended.wall).at;
            self.replanned.push((key, other.stored.next_poll_at));
        }
        planned.at
    }

    /// End of a request that begins now.
    fn ends(&self, key: FeedKey, now: i64) -> i64 {
        now + self.feeds[usize::try_from(key.0).unwrap()].exchange
    }

    /// The whole month.
    fn run(mut self) -> Self {
        let (mut now, end) = (0, DAYS * DAY);
        let mut queue = self.queue(now);
        let mut running: Vec<(i64, FeedKey, Timestamp)> = Vec::new();
        let mut restarts = std::mem::take(&mut self.restarts);
        while now < end {
            if restarts.first().is_some_and(|at| *at <= now) {
                // The results of the running polls are stored already.
                restarts.remove(0);
                for (_, key, _) in running.drain(..) {
                    let feed = &mut self.feeds[usize::try_from(key.0).unwrap()];
                    feed.log.last_mut().unwrap().ends = now;
                }
                queue = self.queue(now);
            }
            running.retain(|(ends, key, due)| {
                let over = *ends <= now;
                if over {
                    queue.done(*key, *due);
                }
                !over
            });
            let step = queue.next(self.moment(now));
            if queue.take_jump().is_some() {
                self.follow_clock(now);
            }
            match step {
                QueueStep::Poll(key) => {
                    running.push((self.ends(key, now), key, self.poll(key, now)));
                    for (key, due) in std::mem::take(&mut self.replanned) {
                        let is_running = running.iter().any(|(_, other, _)| *other == key);
                        if self.process == Process::Daemon && !is_running {
                            let host = &self.feeds[usize::try_from(key.0).unwrap()].host;
                            queue.add(key, host, HostLimit { at_once: 1, spacing: SPACING }, due);
                        }
                    }
                }
                QueueStep::Wait(until) => {
                    let passed = self.process == Process::Cron && running.is_empty();
                    if passed
                        && queue
                            .first_due(self.moment(now))
                            .is_none_or(|due| due > self.moment(now).wall)
                    {
                        now = (now / PASS + 1) * PASS;
                        queue = self.queue(now);
                        continue;
                    }
                    let until = i64::try_from(until.as_secs_f64().ceil() as u64).unwrap();
                    let ends = running.iter().map(|(ends, _, _)| *ends).min().unwrap_or(i64::MAX);
                    now = until.min(ends).max(now + 1);
                }
            }
        }
        self
    }

    /// Requests and bytes a day, and the mean delay of an item in hours.
    fn totals(&self) -> (f64, f64, f64) {
        let logs = self.feeds.iter().flat_map(|feed| &feed.log);
        let (requests, bytes) = logs.fold((0.0, 0.0), |(n, b), a| (n + 1.0, b + a.bytes as f64));
        let news: i64 = self.feeds.iter().map(|feed| feed.news).sum();
        let delays: i64 = self.feeds.iter().map(|feed| feed.delays).sum();
        let days = DAYS as f64;
        (requests / days, bytes / days, delays as f64 / news as f64 / 3600.0)
    }

    /// Every request is compared with the promise before it and with the minimum between two requests.
    fn check_promises(&self) {
        for feed in &self.feeds {
            for pair in feed.log.windows(2) {
                let (before, next) = (&pair[0], &pair[1]);
                assert!(next.at >= before.promise, "{:?} {} at {}", feed.temper, feed.id, next.at);
                let rest = next.at - before.at;
                assert!(rest >= 15 * MINUTE, "{:?} {} after {rest} s", feed.temper, feed.id);
            }
        }
    }

    /// All requests to a host are apart, and no two are open at once.
    fn check_hosts(&self) {
        let mut by_host: HashMap<&str, Vec<(i64, i64)>> = HashMap::new();
        for feed in &self.feeds {
            let requests = feed.log.iter().map(|asked| (asked.at, asked.ends));
            by_host.entry(&feed.host).or_default().extend(requests);
        }
        for (host, mut requests) in by_host {
            requests.sort_unstable();
            for pair in requests.windows(2) {
                let ((at, ends), (next, _)) = (pair[0], pair[1]);
                assert!(next - at >= 2, "{host} was asked twice within two seconds");
                assert!(next >= ends, "{host} was asked while it had not answered, at {next}");
            }
        }
    }

    fn of(&self, temper: Temper) -> impl Iterator<Item = &Feed> {
        self.feeds.iter().filter(move |feed| feed.temper == temper)
    }

    /// No feed without a promise waits longer than this.
    fn check_longest_wait(&self, longest: i64) {
        for feed in self.of(Temper::Plain) {
            let rests = feed.log.windows(2).map(|pair| pair[1].at - pair[0].at);
            let last = feed.log.last().map_or(i64::MAX, |last| DAYS * DAY - last.at);
            let rest = rests.chain([last]).max().unwrap();
            assert!(rest <= longest, "{} waited for {rest} s", feed.id);
        }
    }
}

#[test]
fn no_request_in_a_month_is_too_early_and_no_host_gets_too_many() {
    for process in [Process::Daemon, Process::Cron] {
        for mode in [IntervalMode::Fixed, IntervalMode::Auto] {
            let month = Month::new(process, mode).run();
            month.check_promises();
            month.check_hosts();
            for feed in month.of(Temper::SkipsNights) {
                let at_night = |asked: &&Asked| (START + asked.at) / 3600 % 24 < 6;
                assert_eq!(feed.log.iter().skip(1).filter(at_night).count(), 0, "{}", feed.id);
            }
        }
    }
}

#[test]
fn every_feed_is_polled_at_its_expected_rate_all_month() {
    for feed in &Month::new(Process::Daemon, IntervalMode::Fixed).run().feeds {
        let (least, most) = match feed.temper {
            Temper::Plain | Temper::NoValidators => (20.0, 24.0),
            Temper::Fresh => (3.0, 3.5),
            Temper::Ttl => (7.0, 8.0),
            Temper::SkipsNights => (15.0, 18.5),
            Temper::Throttles => (7.0, 15.0),
            Temper::Flaky => (20.0, 40.0),
            Temper::Fails => (0.8, 1.5),
            Temper::NotThere => (0.9, 1.3),
            Temper::Gone => (0.1, 0.2),
            Temper::Refuses => (0.9, 1.1),
        };
        let a_day = feed.requests_a_day();
        assert!((least..most).contains(&a_day), "{:?}: {a_day:.2} a day", feed.temper);
    }
}

#[test]
fn learned_intervals_save_most_requests_and_cost_little_delay() {
    let before = Month::new(Process::Daemon, IntervalMode::Fixed).run().totals();
    let month = Month::new(Process::Daemon, IntervalMode::Auto).run();
    let after = month.totals();
    let report = format!("requests, bytes a day, hours of delay: {before:?}, {after:?}");
    assert!(after.0 < 0.5 * before.0, "{report}");
    assert!(after.1 < 0.7 * before.1, "{report}");
    assert!(after.2 < before.2 + 1.5, "{report}");
    for feed in month.of(Temper::Plain) {
        let (a_day, hours) = (feed.requests_a_day(), feed.gap / 3600);
        let most = match hours {
            0 | 168.. => 2.0,
            24.. => 6.0,
            _ => 25.0,
        };
        assert!(a_day < most, "{hours} hours: {a_day:.2} a day");
    }
}

/// Prints what 200 mixed feeds cost their servers, with `--nocapture`.
#[test]
#[expect(clippy::print_stdout, reason = "the figures are for the reader of the test")]
fn learned_intervals_save_requests_and_bytes_as_a_daemon_and_with_cron() {
    for (name, process) in [("daemon", Process::Daemon), ("cron", Process::Cron)] {
        let fixed = Month::new(process, IntervalMode::Fixed).run().totals();
        let auto = Month::new(process, IntervalMode::default()).run().totals();
        for (mode, (requests, bytes, delay)) in [("interval = 1h", fixed), ("default", auto)] {
            let megabytes = bytes / 1e6;
            println!(
                "{name}, {mode}: {requests:.0} requests, {megabytes:.1} MB a day, items {delay:.1} hours late"
            );
        }
        assert!(auto.0 < 0.5 * fixed.0 && auto.1 < 0.7 * fixed.1, "{name}: {fixed:?}, {auto:?}");
    }
}

#[test]
fn a_clock_that_is_set_back_or_forward_makes_no_feed_sleep_or_repeat() {
    let year = 365 * DAY;
    for jumps in [
        vec![(3 * DAY, -10 * year)],
        vec![(3 * DAY, year), (3 * DAY + 5 * MINUTE, -year), (9 * DAY, 3600), (12 * DAY, -3600)],
        vec![(4 * DAY + 60, 8 * 3600), (5 * DAY, -40), (6 * DAY, 40)],
        // A machine without a battery clock that starts in 1970.
        vec![(0, -START + 100), (90, START - 100)],
    ] {
        for process in [Process::Daemon, Process::Cron] {
            for mode in [IntervalMode::Fixed, IntervalMode::Auto] {
                // Also while the clock is a year ahead.
                let restarts = vec![2 * DAY, 3 * DAY + 60, 3 * DAY + 120, 10 * DAY];
                let jumps = jumps.clone();
                let month = Month { jumps, restarts, ..Month::new(process, mode) }.run();
                month.check_promises();
                month.check_hosts();
                month.check_longest_wait(match mode {
                    IntervalMode::Fixed => 3 * 3600,
                    IntervalMode::Auto => 26 * 3600,
                });
            }
        }
    }
}

#[test]
fn after_an_outage_every_feed_is_asked_within_75_minutes() {
    let outage = 10 * DAY..11 * DAY;
    for process in [Process::Daemon, Process::Cron] {
        let month = Month::new(process, IntervalMode::Fixed);
        let month = Month { outage: outage.clone(), ..month }.run();
        for feed in month.of(Temper::Plain) {
            let asked = feed.log.iter().find(|asked| asked.at >= outage.end).unwrap().at;
            let rest = asked - outage.end;
            assert!(rest <= 75 * MINUTE, "{} after {rest} s", feed.id);
        }
    }
}

/// The poll as the network state judges it.
fn last_outcome(key: FeedKey, feed: &Feed, answer: &Answer) -> LastOutcome {
    LastOutcome {
        feed: key,
        id: feed.id.clone(),
        site: feed.host.clone(),
        outcome: answer.outcome.kind(),
        status: None,
        redirected_to: None,
        body_hash: None,
        failures: feed.failures + 1,
    }
}
