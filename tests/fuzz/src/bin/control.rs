//! The control protocol: bytes of a client to the daemon, or of a daemon to a client.
//!
//! The first byte chooses the side, the rest is what the other side sends.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use newswire::config;
use newswire::daemon::control::{Reply, Request, reply_from, reply_to};
use newswire::daemon::{ConfigSource, handle};
use newswire::telemetry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tracing::level_filters::LevelFilter;

/// A handle that reads levels and has no log: that of a second start.
static LOG: LazyLock<telemetry::Handle> = LazyLock::new(|| {
    let off = telemetry::Settings { level: LevelFilter::OFF, format: telemetry::Format::Json };
    telemetry::init(off);
    telemetry::init(off)
});

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    if first & 1 == 0 {
        of_client(bytes);
    } else {
        of_daemon(bytes);
    }
});

/// Whatever a client sends, it gets one reply, which ends.
fn of_client(bytes: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<Request>(bytes) {
        let again = serde_json::to_string(&request).expect("a request can be written");
        assert!(!again.contains('\n'), "{again}");
        assert_eq!(serde_json::from_str::<Request>(&again).expect("it can be read"), request);
    }
    // Ends what the request began, such as the time of a log level.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let replied = runtime.block_on(async {
        let source: ConfigSource =
            Arc::new(|| config::read(String::new(), Path::new("newswire.toml"), Path::new("/nowhere")));
        // Nothing receives the commands: the daemon is stopping.
        let (handle, _) = handle(source, Some((LOG.clone(), LevelFilter::INFO)));
        let (mut client, server) = UnixStream::pair().expect("sockets can be made");
        let talk = async {
            // The daemon closes before the end of a request that is too long.
            let _ = client.write_all(bytes).await;
            let _ = client.shutdown().await;
            let mut reply = Vec::new();
            let _ = client.read_to_end(&mut reply).await;
            reply
        };
        tokio::join!(reply_to(server, handle), talk)
    });
    // A request that is no text is not answered.
    let (Ok(()), reply) = replied else { return };
    let mut lines = Vec::new();
    let read = reply_from(&reply[..], |line| lines.push(line.to_owned()));
    assert!(matches!(read, Ok(last) if !matches!(last, Reply::Progress(_))), "{reply:?}");
}

/// Whatever a daemon sends, the client ends with its last reply or an error.
fn of_daemon(bytes: &[u8]) {
    let mut lines = 0;
    if let Ok(reply) = reply_from(bytes, |_| lines += 1) {
        assert!(!matches!(reply, Reply::Progress(_)));
        let again = serde_json::to_string(&reply).expect("a reply can be written");
        assert!(!again.contains('\n'), "{again}");
        assert_eq!(serde_json::from_str::<Reply>(&again).expect("it can be read"), reply);
    }
    assert!(lines <= bytes.len() / 2);
}
