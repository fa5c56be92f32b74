#!/usr/bin/env python3
"""Run by tests/live/run as a service of the container: newswire as systemd starts, watches and stops it.

Each check is a function; it raises when something is not as it should be, and Skip where this newswire or
this systemd cannot do the thing at all."""

import fcntl
import http.server
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

CONFIG = "/etc/newswire/newswire.toml"
DROP_INS = "/etc/systemd/system/newswire.service.d"
STATE = "/var/lib/newswire"
UNIT = open("/etc/systemd/system/newswire.service").read()
SYSTEMD = int(subprocess.check_output(["systemctl", "--version"], text=True).split()[1])


class Skip(Exception):
    pass


def run(*command, fine=(0,), timeout=60):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if fine is not None and done.returncode not in fine:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}: {done.stdout}{done.stderr}")
    return done


def show(*properties):
    text = run("systemctl", "show", "newswire.service", *(f"-p{p}" for p in properties)).stdout
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def pid():
    return int(show("MainPID")["MainPID"])


def until(what, holds, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = holds()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"it never came about that {what}: {show('ActiveState', 'SubState', 'StatusText', 'Result', 'ExecMainStatus')}")


def journal(**fields):
    matches = [f"{name}={value}" for name, value in fields.items()]
    out = run("journalctl", "-u", "newswire", "-o", "json", "--no-pager", *matches, fine=(0, 1)).stdout
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


class Origin(http.server.BaseHTTPRequestHandler):
    """Feeds of this machine; what they answer is changed by the checks."""

    feeds = {}
    status = {}
    delay = 0

    def do_GET(self):
        name = self.path.strip("/")
        time.sleep(self.delay)
        status = self.status.get(name, 200)
        items = "".join(
            f"<item><guid isPermaLink='false'>{name}-{n}</guid><title>{name} {n}</title>"
            f"<link>https://site.example/{name}/{n}</link></item>"
            for n in range(self.feeds.get(name, 0), 0, -1)
        )
        body = f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def config(*feeds, extra=""):
    blocks = "".join(f'[[feed]]\nid = "{f}"\nurl = "http://127.0.0.1:8099/{f}"\n' for f in feeds)
    text = f"""version = 1
[schedule]
interval = "5m"
min_interval = "5m"
host_spacing = "1ms"
per_host = 8
[fetch]
contact = "https://planet.example/about"
allow_networks = ["127.0.0.0/8"]
[web]
listen = "127.0.0.1:8420"
[[output]]
id = "planet"
directory = "www"
items = 1000
[[output]]
id = "private"
token = {{ credential = "planet-token" }}
{extra}{blocks}"""
    global GOOD
    GOOD = text
    with open(CONFIG, "w") as file:
        file.write(text)


def drop_in(name, text=None):
    os.makedirs(DROP_INS, exist_ok=True)
    target = f"{DROP_INS}/{os.path.basename(name)}"
    if text is None:
        shutil.copy(f"/live/systemd/{name}", target)
    else:
        with open(target, "w") as file:
            file.write(text)
    run("systemctl", "daemon-reload")


def take_away(name):
    os.remove(f"{DROP_INS}/{os.path.basename(name)}")
    run("systemctl", "daemon-reload")


def restart():
    run("systemctl", "reset-failed", "newswire.service", fine=None)
    run("systemctl", "restart", "newswire.service")


def due():
    """Has every feed polled by the daemon, after a restart."""
    restart()
    run("newswire", "poll", "--all", "--force", "--config", CONFIG)


def get(path, host="127.0.0.1:8420"):
    request = urllib.request.Request(f"http://{host}{path}", headers={"Connection": "close"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def served():
    """The ids of what is served."""
    return {item["id"] for item in json.loads(get("/planet.json"))["items"]}


def shows(count):
    try:
        return len(served()) == count and served()
    except (OSError, urllib.error.URLError):
        return False


# The checks, in this order: each leaves newswire running well.


def systemd_finds_no_fault_with_the_units():
    said = run("systemd-analyze", "verify", "--man=no", "newswire.service", "newswire.socket", fine=None)
    assert not (said.stdout + said.stderr).strip(), said.stdout + said.stderr
    os.makedirs("/live/tests/live", exist_ok=True)
    shutil.copy("/live/units", "/live/tests/live/units")
    print(run("bash", "/live/tests/live/units").stdout, end="")


def it_starts_and_says_how_it_is_within_five_seconds():
    drop_in("optional/50-credential.conf")
    Origin.feeds.update(a=3, b=2)
    config("a", "b")
    run("systemctl", "enable", "--now", "newswire.service")
    begun = time.monotonic()
    assert show("ActiveState")["ActiveState"] == "active"
    status = until("it says how it is", lambda: re.match(r"\d+/2 feeds ok", show("StatusText")["StatusText"]), 6)
    assert time.monotonic() - begun < 5.5, time.monotonic() - begun
    until("both feeds are served", lambda: shows(5))
    text = until("both are well", lambda: "2/2 feeds ok" in show("StatusText")["StatusText"] and show("StatusText")["StatusText"], 8)
    print(f"   STATUS={text}")
    assert status


def it_has_no_privilege_and_a_filter_for_system_calls():
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{pid()}/status") if ":\t" in line)
    assert int(status["CapEff"], 16) == 0 and int(status["CapBnd"], 16) == 0, status["CapEff"]
    assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
    assert int(status["Uid"].split()[0]) >= 61184, "a user of its own"
    print(f"   {status.get('Seccomp_filters', '?').strip()} filters, no capability, user {status['Uid'].split()[0]}")


def a_credential_is_read():
    assert json.loads(get("/private.json?token=s3cret-token-of-the-planet"))["items"]
    try:
        get("/private.json?token=wrong")
        raise AssertionError("the wrong token is let in")
    except urllib.error.HTTPError as error:
        assert error.code in (401, 404), error.code
    told = run("journalctl", "--no-pager", fine=None).stdout
    assert "s3cret" not in told, "the secret stands in the journal"


def the_journal_has_fields_message_ids_and_the_texts_of_the_catalog():
    run("journalctl", "--update-catalog")
    started = until("the start is in the journal", lambda: journal(NEWSWIRE_EVENT="started"))[0]
    assert started["_TRANSPORT"] == "journal" and started["SYSLOG_IDENTIFIER"] == "newswire", started
    assert started["MESSAGE_ID"] == "a87c705907e84e35b55978460e80739d", started
    changed = journal(NEWSWIRE_EVENT="feed_changed", NEWSWIRE_FEED="a")[0]
    for field in ["URL", "STATUS", "DURATION_MS", "NEW"]:
        assert changed[f"NEWSWIRE_{field}"], changed
    assert changed["NEWSWIRE_NEW"] == "3" and changed["NEWSWIRE_STATUS"] == "200" and changed["PRIORITY"] == "6"
    assert "NEWSWIRE_CODE" not in changed, changed
    Origin.status["b"] = 500
    due()
    failing = until("the failure is told", lambda: journal(NEWSWIRE_EVENT="feed_failing"))[0]
    assert failing["NEWSWIRE_CODE"] == "server_error" and failing["PRIORITY"] == "4", failing
    explained = run("journalctl", "-u", "newswire", "-x", "--no-pager").stdout
    assert "Feed b fails: server_error" in explained and "newswire why b" in explained, explained
    due()
    time.sleep(2)
    assert len(journal(NEWSWIRE_EVENT="feed_failing")) == 1, "one line a change of state"
    Origin.status["b"] = 200
    due()
    until("its recovery is told", lambda: journal(NEWSWIRE_EVENT="feed_recovered"), 30)
    # Whatever else writes to the standard error, such as the allocator, is no record of newswire.
    beside = [record["MESSAGE"] for record in journal(_TRANSPORT="stdout", _COMM="newswire")]
    assert not beside, beside


def hostile_words_stay_in_their_record():
    config("a", "b", extra='[[feed]]\nid = "hostile"\nurl = "http://127.0.0.1:8099/%1b%0d%0aMESSAGE=forged"\n')
    Origin.status["%1b%0d%0aMESSAGE=forged"] = 404
    restart()
    record = until("the failure is told", lambda: journal(NEWSWIRE_EVENT="feed_failing", NEWSWIRE_FEED="hostile"))[0]
    # What journalctl cannot show comes as a list of bytes.
    assert all(isinstance(value, str) for value in record.values()), record
    assert "\n" not in record["MESSAGE"] and "forged" != record["MESSAGE"], record
    config("a", "b")
    restart()


def no_system_call_is_refused():
    """With the filter set to kill, not to refuse: whatever newswire does from here on is allowed."""
    drop_in("zz-live.conf", "[Service]\nSystemCallErrorNumber=\nRestartSec=1s\n")
    Origin.feeds["a"] += 1
    due()
    until("the new item is served", lambda: shows(6))
    log = "/tmp/strace"
    Origin.feeds["a"] += 1
    Origin.delay = 3
    due()
    tracer = subprocess.Popen(["strace", "-f", "-q", "-o", log, "-p", str(pid())], stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    if tracer.poll() is not None:
        raise Skip(f"strace cannot attach: {tracer.stderr.read().strip()}")
    Origin.delay = 0
    until("the new item is served", lambda: shows(7))
    tracer.send_signal(signal.SIGINT)
    tracer.wait(10)
    lines = open(log).read().splitlines()
    refused = [line for line in lines if "EPERM" in line]
    assert len(lines) > 100 and not refused, refused[:5]
    print(f"   {len(lines)} system calls while polling and publishing, none refused")


def a_changed_config_is_put_in_force_or_refused_as_a_whole():
    before = pid()
    Origin.feeds["c"] = 4
    config("a", "b", "c")
    run("systemctl", "reload", "newswire.service")
    until("the new feed is served", lambda: shows(11))
    good = open(CONFIG).read()
    with open(CONFIG, "a") as file:
        file.write('intervall = "1h"\n')
    refused = run("systemctl", "reload", "newswire.service", fine=None)
    assert refused.returncode != 0, "a broken config was taken"
    said = run("newswire", "reload", "--config", CONFIG, fine=None)
    assert said.returncode != 0 and "intervall" in said.stderr and ":" in said.stderr, said
    assert show("ActiveState")["ActiveState"] == "active" and pid() == before
    assert len(served()) == 11
    with open(CONFIG, "w") as file:
        file.write(good)
    run("systemctl", "reload", "newswire.service")
    assert pid() == before, "it was started anew"
    print(f"   {said.stderr.strip().splitlines()[0]}")
    until("the refusal is told", lambda: journal(NEWSWIRE_EVENT="config_rejected"))
    until("the reload is told", lambda: journal(NEWSWIRE_EVENT="config_reloaded"))


def a_config_error_exits_with_78_and_is_not_started_again():
    good = open(CONFIG).read()
    with open(CONFIG, "a") as file:
        file.write("[shedule]\n")
    run("systemctl", "reset-failed", "newswire.service", fine=None)
    failed = run("systemctl", "restart", "newswire.service", fine=None)
    assert failed.returncode != 0
    time.sleep(3)
    state = show("ActiveState", "ExecMainStatus", "NRestarts", "Result")
    assert state == {"ActiveState": "failed", "ExecMainStatus": "78", "NRestarts": "0", "Result": "exit-code"}, state
    told = run("journalctl", "-u", "newswire", "--no-pager", "-n", "40").stdout
    assert "did you mean" in told, told
    with open(CONFIG, "w") as file:
        file.write(good)
    restart()


def ends_with(code, again):
    """Starts newswire, which has to end with this exit code, and whether systemd starts it again."""
    run("systemctl", "reset-failed", "newswire.service", fine=None)
    assert run("systemctl", "restart", "newswire.service", fine=None).returncode != 0, f"it runs, {code} was expected"
    if again:
        until(f"it is started again after {code}", lambda: int(show("NRestarts")["NRestarts"]) >= 1)
    else:
        # RestartSec is 1 s.
        time.sleep(3)
    state = show("ActiveState", "ExecMainStatus", "NRestarts", "Result")
    if not again:
        kept_down = {"ActiveState": "failed", "ExecMainStatus": str(code), "NRestarts": "0", "Result": "exit-code"}
        assert state == kept_down, state
    # A start that is under way has no status yet.
    until(f"its status is {code}", lambda: show("ExecMainStatus")["ExecMainStatus"] == str(code))


def errors_that_need_the_operator_keep_it_down():
    run("systemctl", "stop", "newswire.service")
    owner = os.stat(f"{STATE}/newswire.db")
    shutil.copy(f"{STATE}/newswire.db", f"{STATE}/newer.db")
    newer = sqlite3.connect(f"{STATE}/newer.db")
    newer.execute("PRAGMA user_version = 9999")
    newer.close()
    os.chown(f"{STATE}/newer.db", owner.st_uid, owner.st_gid)
    open(f"{STATE}/a-file", "w").close()
    os.mkdir(f"{STATE}/theirs", 0o700)
    run_with = "[Service]\nExecStart=\nExecStart=/usr/bin/newswire "
    commands = [(64, "run --nonsense"), (66, "run --config /etc/newswire/missing.toml")]
    paths = [(65, "newer.db"), (73, "a-file/state/newswire.db"), (77, "theirs/newswire.db")]
    for code, command in commands:
        drop_in("zz-command.conf", f"{run_with}{command}\n")
        ends_with(code, again=False)
        take_away("zz-command.conf")
    good = open(CONFIG).read()
    for code, path in paths:
        with open(CONFIG, "w") as file:
            file.write(good.replace("[web]", f'[store]\npath = "{path}"\n[web]', 1))
        ends_with(code, again=False)
    with open(CONFIG, "w") as file:
        file.write(good)
    restart()
    print("   " + ", ".join(str(code) for code, _ in sorted(commands + paths)) + ": not started again")


def after_errors_that_may_pass_it_starts_by_itself():
    good = open(CONFIG).read()
    serves = lambda: show("ActiveState")["ActiveState"] == "active"
    with open(CONFIG, "w") as file:
        file.write(good.replace("127.0.0.1:8420", "127.0.0.1:8099"))
    ends_with(69, again=True)
    with open(CONFIG, "w") as file:
        file.write(good)
    until("it runs once the address is free", serves)
    run("systemctl", "stop", "newswire.service")
    with open(f"{STATE}/newswire.db.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ends_with(75, again=True)
    until("it runs once the database is free", serves)
    run("systemctl", "stop", "newswire.service")
    hidden = f"{STATE}/newswire.db.hidden"
    os.rename(f"{STATE}/newswire.db", hidden)
    with open(f"{STATE}/newswire.db", "w") as file:
        file.write("not at all " * 1000)
    owner = os.stat(hidden)
    os.chown(f"{STATE}/newswire.db", owner.st_uid, owner.st_gid)
    ends_with(74, again=True)
    os.rename(hidden, f"{STATE}/newswire.db")
    until("it runs once the database is there again", serves)
    restart()
    print("   69, 74, 75: started again, and it runs when the condition has passed")


def killed_it_comes_back_with_everything():
    before = until("all is served", lambda: len(served()) >= 7 and served())
    run("systemctl", "kill", "--signal=KILL", "--kill-who=main", "newswire.service")
    begun = time.monotonic()
    until("it is started again", lambda: show("NRestarts", "ActiveState") == {"NRestarts": "1", "ActiveState": "active"})
    assert until("it serves again", lambda: shows(len(before))) == before, "ids have changed"
    print(f"   back with {len(before)} items in {time.monotonic() - begun:.1f} s, of which RestartSec is 1 s")


def one_that_hangs_is_ended_and_started_again():
    assert "WatchdogSec=" in UNIT
    drop_in("zz-watchdog.conf", "[Service]\nWatchdogSec=5s\n")
    restart()
    time.sleep(11)
    assert show("NRestarts")["NRestarts"] == "0", "it does not feed the watchdog"
    os.kill(pid(), signal.SIGSTOP)
    begun = time.monotonic()
    until("it is started again", lambda: show("NRestarts", "ActiveState") == {"NRestarts": "1", "ActiveState": "active"}, 12)
    print(f"   started again {time.monotonic() - begun:.1f} s after it was stopped, WatchdogSec is 5 s")
    take_away("zz-watchdog.conf")
    restart()


def told_to_stop_it_ends_well_within_two_seconds():
    until("it is at work", lambda: shows(len(served())))
    begun = time.monotonic()
    run("systemctl", "stop", "newswire.service")
    took = time.monotonic() - begun
    state = show("ActiveState", "ExecMainStatus", "Result")
    assert state == {"ActiveState": "inactive", "ExecMainStatus": "0", "Result": "success"}, state
    assert took <= 2, took
    assert journal(NEWSWIRE_EVENT="stopped")
    print(f"   ended in {took:.2f} s")
    restart()


def in_a_root_of_its_own_it_sees_nothing_else():
    drop_in("newswire.service.d/10-rootdir.conf")
    restart()
    root = f"/proc/{pid()}/root"
    assert not os.path.exists(f"{root}/etc/shadow") and not os.path.exists(f"{root}/bin/sh")
    assert os.path.exists(f"{root}/etc/newswire/newswire.toml")
    Origin.feeds["a"] += 1
    due()
    want = Origin.feeds["a"] + Origin.feeds["b"] + (Origin.feeds.get("c", 0) if '"c"' in open(CONFIG).read() else 0)
    until("a new item is served", lambda: shows(want))
    until("it says how it is", lambda: "feeds ok" in show("StatusText")["StatusText"])
    root = f"/proc/{pid()}/root"
    assert not os.path.exists(f"{root}/etc/shadow")
    seen = str(pid())
    until("the journal hears of it", lambda: journal(_PID=seen, NEWSWIRE_EVENT="feed_changed"))
    run("systemctl", "reload", "newswire.service")
    drop_in("newswire.service.d/20-public-only.conf")
    restart()
    until("it serves", lambda: shows(want))
    print("   / has " + " ".join(sorted(os.listdir(f"/proc/{pid()}/root"))) + ", /etc has "
          + " ".join(sorted(os.listdir(f"/proc/{pid()}/root/etc"))))
    take_away("20-public-only.conf")
    take_away("10-rootdir.conf")
    restart()


def systemd_253_and_newer_waits_for_a_reload_by_itself():
    if SYSTEMD < 253:
        raise Skip(f"systemd {SYSTEMD} has no notify-reload")
    drop_in("optional/30-notify-reload.conf")
    restart()
    before = pid()
    Origin.feeds["d"] = 2
    text = open(CONFIG).read()
    with open(CONFIG, "a") as file:
        file.write('[[feed]]\nid = "d"\nurl = "http://127.0.0.1:8099/d"\n')
    count = len(until("all is served", served))
    run("systemctl", "reload", "newswire.service")
    until("the new feed is served", lambda: shows(count + 2))
    assert pid() == before
    with open(CONFIG, "w") as file:
        file.write(text)
    take_away("30-notify-reload.conf")
    restart()


def no_reader_is_refused_while_it_restarts():
    run("systemctl", "stop", "newswire.service")
    run("systemctl", "start", "newswire.socket")
    run("systemctl", "start", "newswire.service")
    counts, failures, enough = [0], [], threading.Event()

    def reader():
        while not enough.is_set():
            try:
                with socket.create_connection(("127.0.0.1", 8420), timeout=20) as stream:
                    stream.sendall(b"GET /planet.atom HTTP/1.1\r\nHost: 127.0.0.1:8420\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while part := stream.recv(65536):
                        answer += part
                if not answer.startswith(b"HTTP/1.1 200") or not answer.rstrip().endswith(b"</feed>"):
                    failures.append(answer[:80])
            except OSError as error:
                failures.append(error)
            counts[0] += 1

    readers = [threading.Thread(target=reader) for _ in range(4)]
    for thread in readers:
        thread.start()
    begun, restarts = time.monotonic(), 0
    while (counts[0] < 10_000 or restarts < 3) and time.monotonic() - begun < 40:
        time.sleep(1)
        restart()
        restarts += 1
    enough.set()
    for thread in readers:
        thread.join()
    assert not failures, f"{len(failures)} of {counts[0]} failed: {failures[:3]}"
    print(f"   {counts[0]} connections across {restarts} restarts, none failed")
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect("/run/newswire.sock")
        stream.sendall(b"GET /planet.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert stream.recv(12) == b"HTTP/1.1 200"
    run("systemctl", "stop", "newswire.service", "newswire.socket")
    restart()


def a_web_server_reads_the_files_of_a_user_that_stays():
    drop_in("optional/40-static-user.conf")
    run("useradd", "--system", "--home-dir", STATE, "--shell", "/usr/sbin/nologin", "newswire")
    before = len(served())
    run("systemctl", "stop", "newswire.service")
    restart()
    until("all is served", lambda: shows(before))
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    until("the files are there", lambda: os.path.exists(f"{STATE}/www/planet.atom"))
    assert "</feed>" in run(*as_nobody, "cat", f"{STATE}/www/planet.atom").stdout
    assert run(*as_nobody, "cat", f"{STATE}/newswire.db", fine=None).returncode != 0, "the database is open to all"
    take_away("40-static-user.conf")


CHECKS = [
    systemd_finds_no_fault_with_the_units,
    it_starts_and_says_how_it_is_within_five_seconds,
    it_has_no_privilege_and_a_filter_for_system_calls,
    a_credential_is_read,
    the_journal_has_fields_message_ids_and_the_texts_of_the_catalog,
    hostile_words_stay_in_their_record,
    no_system_call_is_refused,
    a_changed_config_is_put_in_force_or_refused_as_a_whole,
    a_config_error_exits_with_78_and_is_not_started_again,
    errors_that_need_the_operator_keep_it_down,
    after_errors_that_may_pass_it_starts_by_itself,
    killed_it_comes_back_with_everything,
    one_that_hangs_is_ended_and_started_again,
    told_to_stop_it_ends_well_within_two_seconds,
    in_a_root_of_its_own_it_sees_nothing_else,
    systemd_253_and_newer_waits_for_a_reload_by_itself,
    no_reader_is_refused_while_it_restarts,
    a_web_server_reads_the_files_of_a_user_that_stays,
]


def main():
    sys.stdout.reconfigure(line_buffering=True)
    with open("/etc/newswire/planet-token", "w") as file:
        file.write("s3cret-token-of-the-planet\n")
    os.chmod("/etc/newswire/planet-token", 0o600)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 8099), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    failed = 0
    for check in CHECKS:
        name, begun = check.__name__.replace("_", " "), time.monotonic()
        try:
            check()
            print(f"ok {name} ({time.monotonic() - begun:.1f} s)")
        except Skip as why:
            print(f"skipped: {name}: {why}")
        except Exception as error:
            failed += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}")
            print(run("journalctl", "-u", "newswire", "--no-pager", "-n", "15", fine=None).stdout)
            with open(CONFIG, "w") as file:
                file.write(GOOD)
            run("systemctl", "reset-failed", "newswire.service", fine=None)
            run("systemctl", "restart", "newswire.service", fine=None)
    print(f"all checks done: {failed} failed")


if __name__ == "__main__":
    main()
