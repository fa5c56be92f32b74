-- Times are milliseconds since 1970, UTC. Digests are the first 16 bytes of a SHA-256.
-- Until 1.0 is released there is only this schema. Migrations follow then.

-- A feed that is or was configured. Rows are never deleted: a feed that is configured again keeps its items' ids.
CREATE TABLE feed (
  id             INTEGER PRIMARY KEY,
  name           TEXT    NOT NULL UNIQUE,  -- stable id: from the config, else derived from the URL once
  url            TEXT    NOT NULL,         -- as configured now
  active         INTEGER NOT NULL,         -- 0: no longer configured
  kept           INTEGER NOT NULL,         -- 1: its items stay in outputs when it is no longer configured
  title          TEXT,                     -- from the config; NULL: the publisher's title is shown
  tags           TEXT    NOT NULL,         -- JSON array of strings, from the config
  added_at       INTEGER NOT NULL,
  profile        TEXT    NOT NULL,         -- JSON: title, site, language and so on, from the document
  publisher_hints TEXT   NOT NULL,         -- JSON: ttl, update period, skipHours and so on, from the document
  dialect        TEXT,                     -- of the last document; NULL: none was read yet
  parse_warnings TEXT    NOT NULL,         -- JSON array: what had to be repaired in the last document
  removed        TEXT    NOT NULL,         -- JSON array: what each selector of remove took away from the last document
  -- the last good response
  request_key    TEXT    NOT NULL,         -- URL and request headers that the next five columns belong to
  etag           BLOB,                     -- opaque; NULL: the server sent none
  last_modified  BLOB,                     -- opaque; NULL: the server sent none
  body_hash      BLOB,                     -- SHA-256 of the decoded body; NULL: no complete body was read
  response_url   TEXT,                     -- where the response came from, after all redirects
  lifetime       INTEGER,                  -- freshness lifetime by max-age, seconds; NULL: none
  last_full_at   INTEGER,                  -- time of the last complete document; NULL: never
  checked_at     INTEGER,                  -- time of the last request without the validators; NULL: never
  validator_use  TEXT    NOT NULL DEFAULT 'both', -- slug: which validators are sent
  validator_count INTEGER NOT NULL DEFAULT 0, -- consecutive responses that count towards another value of validator_use
  parser_version INTEGER NOT NULL,         -- version of the parser that read, or will read, the last complete document
  reread_at      INTEGER,                  -- time from which the complete document is requested to be read again; NULL: it is not
  -- where the feed is now
  effective_url  TEXT,                     -- adopted after permanent redirects; NULL: as configured
  moved_to       TEXT,                     -- target of permanent redirects that is not adopted yet
  moved_since    INTEGER,                  -- time of the first redirect to it
  -- the schedule
  next_poll_at   INTEGER NOT NULL,
  plan_reason    TEXT    NOT NULL,         -- slug of the input that decided
  plan_text      TEXT    NOT NULL,         -- the same as a phrase
  plan_inputs    TEXT    NOT NULL,         -- JSON array: every input of the plan
  failures       INTEGER NOT NULL,         -- consecutive failures
  failing_since  INTEGER,                  -- NULL: the last poll succeeded, or there was none
  -- the last poll
  last_poll_at   INTEGER,                  -- NULL: never polled
  last_outcome   TEXT,                     -- slug
  last_status    INTEGER,                  -- HTTP status; NULL: no response
  last_message   TEXT,                     -- of a failure; NULL: none
  last_url       TEXT,                     -- where the last response came from; NULL: not redirected
  last_success_at INTEGER,                 -- NULL: never
  is_suspect     INTEGER NOT NULL DEFAULT 0, -- 1: newswire was killed during its poll, and no poll has ended since
  last_new_at    INTEGER,                  -- time of the last new item; NULL: never
  items          INTEGER NOT NULL,         -- number of items that were ever new and not held
  guids_reused   INTEGER NOT NULL DEFAULT 0, -- 1: the feed gave one guid to different items
  boilerplate    BLOB    NOT NULL DEFAULT x'', -- digests, 8 bytes each, of paragraphs that the site repeats
  longest_gap    INTEGER,                  -- longest time between new items, milliseconds; NULL: unknown
  quiet_not_modified INTEGER NOT NULL DEFAULT 0, -- number of polls since the last new item: answered 304
  quiet_same_body INTEGER NOT NULL DEFAULT 0, -- answered with the same body
  quiet_nothing_new INTEGER NOT NULL DEFAULT 0, -- answered with another document without new items
  empty_since    INTEGER,                  -- time since when its document has no items; NULL: it has some, or never had
  row_digest     BLOB    NOT NULL,         -- of what is published and of what selects it: see store::row_digest
  state_digest   BLOB    NOT NULL          -- of what the next request depends on: see store::feed_state
) STRICT;

CREATE INDEX feed_url ON feed(url);
CREATE INDEX feed_response_url ON feed(response_url);

-- One poll of one feed. Rows older than two weeks are deleted by the feed's next poll.
CREATE TABLE poll (
  feed_id      INTEGER NOT NULL REFERENCES feed(id),
  at           INTEGER NOT NULL,           -- start of the poll
  outcome      TEXT    NOT NULL,           -- slug
  status       INTEGER,                    -- HTTP status; NULL: no response
  duration     INTEGER NOT NULL,           -- milliseconds
  wire_bytes   INTEGER NOT NULL,           -- size of the body as sent
  body_bytes   INTEGER NOT NULL,           -- size of the body, decoded
  new_items    INTEGER NOT NULL,           -- that are shown
  unseen_items INTEGER NOT NULL,           -- the same, with those that are held or that a filter kept out
  items        INTEGER,                    -- different items of the document; NULL: it was not read, or it is a part
  changed_items INTEGER NOT NULL,
  message      TEXT,                       -- of a failure; NULL: none
  PRIMARY KEY (feed_id, at)
) STRICT, WITHOUT ROWID;

-- The clock that the times of polls, plans and promises are by; one row. They move when the clock is set.
CREATE TABLE clock (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  boot   TEXT    NOT NULL,                 -- identifies one run of the machine
  offset INTEGER NOT NULL,                 -- wall clock less the time since the start of the machine, milliseconds
  set_at INTEGER                           -- when it was last found to be set, or to continue after a long time
) STRICT;

-- Until when nothing that the key names is requested, and who asked for that. Rows are deleted a month after they ended.
CREATE TABLE promise (
  scope    TEXT    NOT NULL,               -- slug: url, host or address
  key      TEXT    NOT NULL,               -- the URL, site or address
  reason   TEXT    NOT NULL,               -- slug
  host     TEXT    NOT NULL,               -- site of the URL whose response led to it
  until    INTEGER NOT NULL,
  response_url TEXT NOT NULL,              -- URL whose response led to it
  at       INTEGER NOT NULL,               -- time when it was made
  asked_at INTEGER,                        -- first request after it was made; NULL: none yet
  earliest INTEGER,                        -- least time from the end of such a promise to the next request, milliseconds; negative: too early
  PRIMARY KEY (scope, key, reason)
) STRICT, WITHOUT ROWID;

-- The last request for a URL or to a site, written before it is sent. Rows are deleted after a month without one.
CREATE TABLE asked (
  scope    TEXT    NOT NULL,               -- slug: url or host
  key      TEXT    NOT NULL,               -- the URL or site
  at       INTEGER NOT NULL,
  by       TEXT    NOT NULL,               -- feed:ID, list or command
  requests INTEGER NOT NULL,               -- number of requests
  conditional INTEGER NOT NULL,            -- number of requests with validators
  shortest INTEGER,                        -- shortest time between two requests, milliseconds; NULL: there was one
  full_at  INTEGER,                        -- last request without validators; NULL: none
  full_shortest INTEGER,                   -- shortest time between two of them, milliseconds
  forced INTEGER NOT NULL,                 -- number of requests for the URL with --force, which end no shortest time; of a site: 0
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

-- The last document of a URL that several feeds are read from, or that a command fetched for a new feed.
CREATE TABLE shared_document (
  url           TEXT    PRIMARY KEY,       -- of the request
  final_url     TEXT    NOT NULL,          -- that sent it, after redirects
  hops          TEXT    NOT NULL,          -- these redirects, JSON
  content_type  TEXT,                      -- NULL: none
  links         TEXT,                      -- values of its Link headers; NULL: none
  etag          BLOB,
  last_modified BLOB,
  hash          BLOB    NOT NULL,          -- SHA-256 of the body
  body          BLOB    NOT NULL,
  at            INTEGER NOT NULL,          -- time when it was fetched
  row_digest    BLOB    NOT NULL           -- of all of it but the time
) STRICT;

-- Every item that was ever seen. Rows are never deleted, so that no item is ever new twice.
CREATE TABLE item (
  id           INTEGER PRIMARY KEY,        -- ascends with the time of first sight
  feed_id      INTEGER NOT NULL REFERENCES feed(id),
  story_id     INTEGER NOT NULL,           -- id of the story's first item; the item's own id: it is the first or alone
  outward_id   TEXT    NOT NULL UNIQUE,    -- the id in outputs, minted once
  content_digest BLOB  NOT NULL,           -- of all that a subscriber would notice
  url_key      BLOB,                       -- digest of the canonical URL; NULL: its URL does not identify it
  first_seen_at INTEGER NOT NULL,
  sort_at      INTEGER NOT NULL,           -- min(published, first seen); changed only when an item of the history is published again
  published_at INTEGER,                    -- NULL: the publisher gave no credible date
  updated_at   INTEGER,                    -- NULL: as published_at
  dated_at     INTEGER,                    -- last date that the publisher gave, also one in the future; NULL: as published_at
  guid         TEXT,                       -- from the publisher; NULL: none
  url          TEXT,                       -- NULL: it has no page
  title        TEXT,                       -- plain text; NULL: untitled
  language     TEXT,                       -- BCP 47; NULL: unknown
  claimed_id   TEXT,                       -- the publisher's id for it, if another item had that id first; NULL: no conflict
  page_owner   INTEGER NOT NULL,           -- its URL is on 0: another site, 1: the site that the feed came from, 2: the site that the feed names
  text_digest  INTEGER,                    -- of the words of its text; NULL: too few words
  hidden       TEXT,                       -- why it is not shown: 'pending' (not matched yet), 'history' or 'burst' (held), 'filtered'; NULL: shown
  filtered_by  TEXT,                       -- the rule of a filter that kept it out; NULL: none
  changes      INTEGER NOT NULL DEFAULT 0, -- number of times that its text was replaced
  bumps        INTEGER NOT NULL DEFAULT 0, -- number of times that a change got a new updated date
  bumped_at    INTEGER                     -- time of the last one; NULL: never
) STRICT;

-- The newest items of a feed, without a sort.
CREATE INDEX item_order ON item(feed_id, sort_at DESC, id DESC, story_id) WHERE hidden IS NULL;
CREATE INDEX item_hidden ON item(feed_id, id, hidden) WHERE hidden IS NOT NULL;
CREATE INDEX item_claimed ON item(claimed_id) WHERE claimed_id IS NOT NULL;
-- Items of other feeds with the same canonical URL.
CREATE INDEX item_url ON item(url_key) WHERE url_key IS NOT NULL;
-- Items of other feeds with the same date and title or text: a date without a time says nothing. A feed may give all of
-- its items one date; the rest of the row is not read to leave those out.
CREATE INDEX item_published_title ON item(published_at, title, feed_id)
  WHERE published_at % 86400000 <> 0 AND title IS NOT NULL;
CREATE INDEX item_published_text ON item(published_at, text_digest, feed_id)
  WHERE published_at % 86400000 <> 0 AND text_digest IS NOT NULL;
-- Items of other feeds with the same UUID.
CREATE INDEX item_uuid ON item(guid) WHERE guid GLOB '????????-????-????-????-????????????';
-- The other items of a story. Small, because most items are alone.
CREATE INDEX item_story ON item(story_id) WHERE story_id <> id;

-- What identifies an item within its feed. An item has several rows if its publisher changed the guid.
CREATE TABLE identity (
  feed_id  INTEGER NOT NULL REFERENCES feed(id),
  digest   BLOB    NOT NULL,               -- of the guid, else the link, else the content
  item_id  INTEGER NOT NULL REFERENCES item(id),
  recognised_by TEXT,                      -- how a known item was recognised under a new guid; NULL: its first guid
  recognised_at INTEGER,
  row_digest BLOB  NOT NULL,               -- of feed_id, digest and item_id
  PRIMARY KEY (feed_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_item ON identity(item_id) WHERE recognised_by IS NOT NULL;

-- Text of an item, deleted after the retention. An item without a row is in no output.
CREATE TABLE body (
  item_id  INTEGER PRIMARY KEY REFERENCES item(id),
  summary  TEXT,                           -- plain text; NULL: none
  content  TEXT,                           -- sanitised HTML; NULL: none
  details  TEXT    NOT NULL,               -- JSON: authors, categories, enclosures and so on
  digest   BLOB    NOT NULL                -- of what is published of the item: see store::item_digest
) STRICT;

-- The last document of each output and format, so that Last-Modified survives a restart.
CREATE TABLE document (
  output      TEXT    NOT NULL,
  format      TEXT    NOT NULL,
  hash        BLOB    NOT NULL,            -- SHA-256 of the document
  modified_at INTEGER NOT NULL,            -- time of the last difference
  row_digest  BLOB    NOT NULL,            -- of all of it
  PRIMARY KEY (output, format)
) STRICT, WITHOUT ROWID;

-- Items that the stories stage has to look at: new, changed, released, or named by a decision; in that order.
CREATE TABLE pending (
  id       INTEGER PRIMARY KEY AUTOINCREMENT, -- an item that is marked again gets a new number
  item_id  INTEGER NOT NULL UNIQUE REFERENCES item(id)
) STRICT;

-- What is compared of an item in the window: see dedupe::Fingerprint.
CREATE TABLE fingerprint (
  item_id  INTEGER PRIMARY KEY REFERENCES item(id),
  feed_id  INTEGER NOT NULL,
  at       INTEGER NOT NULL,               -- time when it was made
  data     BLOB    NOT NULL
) STRICT;

-- What has left the window is found without reading the rest.
CREATE INDEX fingerprint_at ON fingerprint(at);

-- The decision of a rule that two items of different feeds are, or are not, the same story.
CREATE TABLE item_match (
  item_id   INTEGER NOT NULL REFERENCES item(id), -- the later item
  other_id  INTEGER NOT NULL REFERENCES item(id), -- the earlier item
  same_story INTEGER NOT NULL,          -- 1: one story
  rule      TEXT    NOT NULL,           -- slug
  score     REAL    NOT NULL,           -- measured, 0 to 1
  threshold REAL    NOT NULL,           -- required score, 0 to 1
  at        INTEGER NOT NULL,
  PRIMARY KEY (item_id, other_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX item_match_other ON item_match(other_id, item_id);

-- A permanent decision of the operator. other_id 0: the item is a story by itself; else the two are one story.
CREATE TABLE decision (
  item_id   INTEGER NOT NULL REFERENCES item(id),
  other_id  INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (item_id, other_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX decision_other ON decision(other_id, item_id);

-- How much each word counts in a comparison; one row.
CREATE TABLE word_weight (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  at        INTEGER NOT NULL,           -- time when the weights were learned
  data      BLOB    NOT NULL            -- see dedupe::Weights
) STRICT;

-- The distinct words of every item that has a body; rowid is the item's id. The texts are not stored twice.
CREATE VIRTUAL TABLE search USING fts5(
  words,
  content = '', contentless_delete = 1,
  detail = none,                           -- a fifth of the size; phrases are looked up in the bodies
  tokenize = "ascii"                       -- newswire separates and folds the words
);

-- Fewer and larger segments, because merging them is most of the cost of indexing, and each commit adds one: sixteen are
-- merged at a time (by default 4), and a commit of a first poll fits into the 4 MiB that are collected in memory (1 MiB).
INSERT INTO search(search, rank) VALUES ('automerge', 16), ('crisismerge', 32), ('hashsize', 4194304);

-- The pages of an output's archive. A page is complete, and never changes, once the next page exists.
CREATE TABLE archive_page (
  output   TEXT    NOT NULL,
  number   INTEGER NOT NULL,               -- from 1, ascends with time
  items    TEXT    NOT NULL,               -- JSON array of item ids, in order of arrival
  last_item_id INTEGER NOT NULL,           -- the last item that was considered for it
  last_released_id INTEGER NOT NULL,       -- the last row of released that was considered for it
  is_private INTEGER NOT NULL,             -- 1: the output had a token when a story was put on it
  row_digest BLOB  NOT NULL,               -- of all of it
  PRIMARY KEY (output, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX archive_page_last ON archive_page(output, last_item_id);

-- Items that were held and then released by the operator. Archives have passed their ids already.
CREATE TABLE released (
  id       INTEGER PRIMARY KEY,
  item_id  INTEGER NOT NULL REFERENCES item(id)
) STRICT;

CREATE TRIGGER item_released AFTER UPDATE OF hidden ON item WHEN old.hidden IN ('history', 'burst', 'filtered') AND new.hidden = 'pending'
BEGIN
  INSERT INTO released (item_id) VALUES (new.id);
END;

-- Totals of all polls of an hour. Rows older than two weeks are deleted by the next poll.
CREATE TABLE poll_hour (
  hour       INTEGER PRIMARY KEY,          -- hours since 1970
  polls      INTEGER NOT NULL,
  failed     INTEGER NOT NULL,             -- polls without success
  unchanged  INTEGER NOT NULL,             -- successful polls without new or changed items
  wire_bytes INTEGER NOT NULL,
  new_items  INTEGER NOT NULL
) STRICT;

-- Time from publication to first sight, of items that came after their feed's first poll.
CREATE TABLE delivery_delay (
  hour       INTEGER NOT NULL,             -- of first sight, hours since 1970
  bucket     INTEGER NOT NULL,             -- index of the range of delays
  items      INTEGER NOT NULL,             -- number of items
  PRIMARY KEY (hour, bucket)
) STRICT, WITHOUT ROWID;

-- A condition that lasts and needs the operator; one row from its start to its end.
CREATE TABLE incident (
  kind        TEXT    NOT NULL,            -- slug
  subject     TEXT    NOT NULL,            -- id of a feed or an output; empty: Newswire itself
  opened_at   INTEGER NOT NULL,            -- time of the first report
  name        TEXT    NOT NULL,            -- name of the subject, to be shown
  state       TEXT    NOT NULL,            -- slug of the exact condition; a change is reported
  text        TEXT    NOT NULL,            -- what is wrong
  remedy      TEXT    NOT NULL,            -- what to do
  toml        TEXT,                        -- a change of the config that helps; NULL: none
  since       INTEGER NOT NULL,            -- start of the condition
  changed_at  INTEGER NOT NULL,
  resolved_at INTEGER,                     -- NULL: it lasts
  PRIMARY KEY (kind, subject, opened_at)
) STRICT, WITHOUT ROWID;

-- Items that an output shows under another id than their outward id: under that of their publisher, where an item of a
-- feed outside the output had it first; or under that of the item that led their story in the output before. Rows are
-- never deleted.
CREATE TABLE output_item_id (
  output   TEXT    NOT NULL,
  item_id  INTEGER NOT NULL REFERENCES item(id),
  id       TEXT    NOT NULL,               -- as published
  row_digest BLOB  NOT NULL,               -- of all of it
  PRIMARY KEY (output, item_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX output_item_id_id ON output_item_id(output, id);

-- What is permanent of an output: the id of its feed. Rows are never deleted.
CREATE TABLE output (
  name     TEXT    PRIMARY KEY,            -- from the config; `/health`: the feed of incidents
  id       TEXT    NOT NULL,               -- an IRI without an address
  since    INTEGER NOT NULL,               -- time when the id was made
  row_digest BLOB  NOT NULL                -- of all of it
) STRICT, WITHOUT ROWID;

-- The folders that documents of an output were written to. Rows are deleted when none is left there.
CREATE TABLE output_folder (
  output   TEXT    NOT NULL,               -- from the config, as it was
  path     TEXT    NOT NULL,               -- absolute
  archive_basis TEXT,                      -- JSON: what the archive pages there were written from, see outputs::archive_files; NULL: unknown
  PRIMARY KEY (output, path)
) STRICT, WITHOUT ROWID;

-- The last publication of an output, with which the next one is compared, also after a restart.
CREATE TABLE publication (
  output   TEXT    PRIMARY KEY,
  shown    TEXT    NOT NULL,               -- JSON, in the form of render::Last
  basis    BLOB,                           -- SHA-256 of all that the files in its directory depend on; NULL: unknown
  until    INTEGER,                        -- time when an item becomes too old for the output; NULL: none does
  row_digest BLOB  NOT NULL                -- of output and shown
) STRICT, WITHOUT ROWID;

-- How far the periods of an output with digests are closed.
CREATE TABLE digest_state (
  output   TEXT    PRIMARY KEY,
  closed_until INTEGER NOT NULL,           -- end of the last period that is closed
  last_item_id INTEGER NOT NULL,           -- the last item up to which all are listed or left out
  last_released_id INTEGER NOT NULL,       -- the last row of released that was considered
  ahead    TEXT    NOT NULL,               -- JSON array: later items that are listed or left out
  row_digest BLOB  NOT NULL                -- of all of it
) STRICT, WITHOUT ROWID;

-- The entries of closed periods. Rows are never deleted or rewritten; texts leave after the retention.
CREATE TABLE digest (
  output   TEXT    NOT NULL,
  number   INTEGER NOT NULL,               -- from 1, ascends with the time of closing
  id       TEXT    NOT NULL,               -- as published
  ends_at  INTEGER NOT NULL,               -- end of the period
  closed_at INTEGER NOT NULL,
  title    TEXT    NOT NULL,               -- plain text
  summary  TEXT    NOT NULL,               -- the first titles, plain text
  html     TEXT,                           -- the stories; NULL: past retention
  items    TEXT    NOT NULL,               -- JSON array of the ids of the items that lead them
  row_digest BLOB  NOT NULL,               -- of all of it, as long as it has a text
  UNIQUE (output, number),
  UNIQUE (output, ends_at)
) STRICT;

CREATE INDEX digest_closed ON digest(closed_at) WHERE html IS NOT NULL;

-- How many subscribers an output had on a day. Nothing about the clients is stored.
CREATE TABLE subscriber_count (
  output   TEXT    NOT NULL,               -- from the config
  day      INTEGER NOT NULL,               -- UTC, days since 1970
  clients  INTEGER NOT NULL,               -- number of different clients, an estimate
  reported INTEGER NOT NULL,               -- number of subscribers that services report
  PRIMARY KEY (output, day)
) STRICT, WITHOUT ROWID;

-- The last complete check of the database; one row.
CREATE TABLE store_check (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  checked_at INTEGER NOT NULL
) STRICT;

-- One row. The number ascends with every write that may change what an output shows.
CREATE TABLE revision (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  number   INTEGER NOT NULL
) STRICT;

INSERT INTO revision VALUES (1, 0);
