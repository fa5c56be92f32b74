-- Times are milliseconds since 1970, UTC. Digests are the first 16 bytes of a SHA-256.
-- Until 1.0 is released there is this one schema; then migrations.

-- A feed that is or was configured. Rows are never deleted: a feed that comes back keeps its items' ids.
CREATE TABLE feed (
  id             INTEGER PRIMARY KEY,
  name           TEXT    NOT NULL UNIQUE,  -- its stable id: from the config, else derived from the URL once
  url            TEXT    NOT NULL,         -- as configured now
  active         INTEGER NOT NULL,         -- 0: no longer configured; its items are in no output
  title          TEXT,                     -- the operator's; NULL: the publisher's is shown
  tags           TEXT    NOT NULL,         -- JSON array of strings, the operator's
  added_at       INTEGER NOT NULL,
  profile        TEXT    NOT NULL,         -- JSON: what the publisher says of the feed
  hints          TEXT    NOT NULL,         -- JSON: what the publisher asks of those who poll
  dialect        TEXT,                     -- of the last document; NULL: none was read yet
  parse_warnings TEXT    NOT NULL,         -- JSON array: what had to be mended in the last document
  -- the last good representation
  request_key    TEXT    NOT NULL,         -- URL and request shape that the next four belong to
  etag           BLOB,                     -- opaque; NULL: the server sent none
  last_modified  BLOB,                     -- opaque; NULL: the server sent none
  body_hash      BLOB,                     -- SHA-256 of the decoded body; NULL: none was read whole
  answered       TEXT,                     -- the address that sent it, at the end of all redirects
  full_at        INTEGER,                  -- when the server last sent a whole document; NULL: never
  distrusted     INTEGER NOT NULL,         -- 1: it said 304 to a document that had changed
  reader         INTEGER NOT NULL,         -- which reader last read the whole document; older: it is read anew
  -- where it lives now
  effective_url  TEXT,                     -- adopted after permanent redirects; NULL: as configured
  moved_to       TEXT,                     -- where permanent redirects point, on probation
  moved_since    INTEGER,                  -- when that was first seen
  -- the schedule
  next_poll_at   INTEGER NOT NULL,
  reason         TEXT    NOT NULL,         -- slug of the input that won
  reason_text    TEXT    NOT NULL,         -- the same for people
  considered     TEXT    NOT NULL,         -- JSON array: every input of the plan
  failures       INTEGER NOT NULL,         -- in a row
  failing_since  INTEGER,                  -- NULL: the last poll succeeded, or there was none
  -- the last poll
  last_poll_at   INTEGER,                  -- NULL: never polled
  last_outcome   TEXT,                     -- slug
  last_status    INTEGER,                  -- HTTP; NULL: no response
  last_message   TEXT,                     -- NULL: nothing to say
  last_url       TEXT,                     -- where the last response came from, if redirected
  last_success_at INTEGER,                 -- NULL: never
  last_new_at    INTEGER,                  -- when an item was last new; NULL: never
  items          INTEGER NOT NULL,         -- how many were ever kept
  guids          INTEGER NOT NULL DEFAULT 0, -- 1: it gave one guid to different things
  boilerplate    BLOB    NOT NULL DEFAULT x'', -- digests, 8 bytes each, of paragraphs that are the site's
  longest_gap    INTEGER,                  -- milliseconds: the longest time without news that ended with some; NULL: not known
  still_304      INTEGER NOT NULL DEFAULT 0, -- polls since the last news: answered 304,
  still_same     INTEGER NOT NULL DEFAULT 0, -- with the same body,
  still_other    INTEGER NOT NULL DEFAULT 0, -- with another document that had no news
  empty_since    INTEGER                   -- since when its document has no items, though it had some
) STRICT;

CREATE INDEX feed_url ON feed(url);

-- One attempt to fetch one feed. Rows older than two weeks go with the feed's next poll.
CREATE TABLE poll (
  feed_id      INTEGER NOT NULL REFERENCES feed(id),
  at           INTEGER NOT NULL,           -- when it began
  outcome      TEXT    NOT NULL,           -- slug
  status       INTEGER,                    -- HTTP; NULL: no response
  duration     INTEGER NOT NULL,           -- milliseconds
  wire_bytes   INTEGER NOT NULL,           -- of the body, as sent
  body_bytes   INTEGER NOT NULL,           -- of the body, decoded
  new_items    INTEGER NOT NULL,
  changed_items INTEGER NOT NULL,
  message      TEXT,                       -- NULL: nothing to say
  PRIMARY KEY (feed_id, at)
) STRICT, WITHOUT ROWID;

-- An item that was ever seen. Rows are never deleted, so nothing repeats.
CREATE TABLE item (
  id           INTEGER PRIMARY KEY,        -- ascends with the time of first sight
  feed_id      INTEGER NOT NULL REFERENCES feed(id),
  story_id     INTEGER NOT NULL,           -- the id of the story's first item; its own: it leads or is alone
  outward_id   TEXT    NOT NULL UNIQUE,    -- minted once, published for ever
  content_digest BLOB  NOT NULL,           -- of what a subscriber would notice
  url_key      BLOB,                       -- digest of the canonical URL; NULL: its URL proves nothing
  first_seen_at INTEGER NOT NULL,
  sort_at      INTEGER NOT NULL,           -- min(published, first seen), never moved
  published_at INTEGER,                    -- NULL: the publisher gave no credible date
  updated_at   INTEGER,                    -- NULL: as published_at
  guid         TEXT,                       -- the publisher's own; NULL: none
  url          TEXT,                       -- NULL: it has no page
  title        TEXT,                       -- plain; NULL: untitled
  language     TEXT,                       -- BCP 47; NULL: unknown
  wanted_id    TEXT,                       -- the publisher's id, where another feed's item had it first; NULL: its outward id is what it wanted
  standing     INTEGER NOT NULL,           -- 0: it links to another's page, 1: to the site that its feed came from, 2: to the one that its feed says it belongs to
  text_key     INTEGER,                    -- of the words of its text; NULL: too few to say anything
  hidden       TEXT,                       -- why it is not shown: 'pending' until it is matched; 'history', 'burst': held; NULL: it is shown
  changes      INTEGER NOT NULL DEFAULT 0, -- how often its words were replaced
  bumps        INTEGER NOT NULL DEFAULT 0, -- how often a change was shown as one
  bumped_at    INTEGER                     -- when last; NULL: never
) STRICT;

-- One feed's newest items, without a sort.
CREATE INDEX item_order ON item(feed_id, sort_at DESC, id DESC, story_id) WHERE hidden IS NULL;
CREATE INDEX item_hidden ON item(feed_id, id) WHERE hidden IS NOT NULL;
CREATE INDEX item_wanted ON item(wanted_id) WHERE wanted_id IS NOT NULL;
-- Items of other feeds with the same canonical URL.
CREATE INDEX item_url ON item(url_key) WHERE url_key IS NOT NULL;
-- The others of a story: small, for most items are alone.
CREATE INDEX item_story ON item(story_id) WHERE story_id <> id;

-- By what an item is recognised at the next poll. An item may have several: a publisher changes guids.
CREATE TABLE identity (
  feed_id  INTEGER NOT NULL REFERENCES feed(id),
  digest   BLOB    NOT NULL,               -- of the guid, else the link, else the content
  item_id  INTEGER NOT NULL REFERENCES item(id),
  way      TEXT,                           -- how an item was recognised under a new guid; NULL: it came with this one
  at       INTEGER,                        -- when
  PRIMARY KEY (feed_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_item ON identity(item_id) WHERE way IS NOT NULL;

-- The bulk of an item, deleted after the retention; an item without one is in no output.
CREATE TABLE body (
  item_id  INTEGER PRIMARY KEY REFERENCES item(id),
  summary  TEXT,                           -- plain; NULL: none
  content  TEXT,                           -- sanitised HTML; NULL: none
  details  TEXT    NOT NULL                -- JSON: authors, categories, enclosures and the like
) STRICT;

-- One published document, so that Last-Modified survives a restart.
CREATE TABLE document (
  output      TEXT    NOT NULL,
  format      TEXT    NOT NULL,
  hash        BLOB    NOT NULL,            -- SHA-256 of the document
  modified_at INTEGER NOT NULL,            -- when it last became different
  PRIMARY KEY (output, format)
) STRICT, WITHOUT ROWID;

-- Items that the stories stage has not looked at yet: new, changed, released, or decided upon; in that order.
CREATE TABLE pending (
  id       INTEGER PRIMARY KEY AUTOINCREMENT, -- a later mark of the same item has another number
  item_id  INTEGER NOT NULL UNIQUE REFERENCES item(id)
) STRICT;

-- What is compared of an item in the window; see dedupe::Fingerprint.
CREATE TABLE fingerprint (
  item_id  INTEGER PRIMARY KEY REFERENCES item(id),
  feed_id  INTEGER NOT NULL,
  at       INTEGER NOT NULL,               -- when it was made
  data     BLOB    NOT NULL
) STRICT;

-- Two items of different feeds were compared, and are one story or looked like it.
CREATE TABLE tie (
  item_id   INTEGER NOT NULL REFERENCES item(id), -- the later one
  other_id  INTEGER NOT NULL REFERENCES item(id), -- the earlier one
  same      INTEGER NOT NULL,           -- 1: one story
  rule      TEXT    NOT NULL,           -- slug of what decided
  score     REAL    NOT NULL,           -- what it measured, 0 to 1
  threshold REAL    NOT NULL,           -- what it asked for
  at        INTEGER NOT NULL,
  PRIMARY KEY (item_id, other_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tie_other ON tie(other_id, item_id);

-- The operator's word, for good. other_id 0: the item stands alone; else both belong together.
CREATE TABLE exception (
  item_id   INTEGER NOT NULL REFERENCES item(id),
  other_id  INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (item_id, other_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX exception_other ON exception(other_id, item_id);

-- What words prove, as last learnt; one row.
CREATE TABLE weight (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  at        INTEGER NOT NULL,
  learnt    BLOB    NOT NULL
) STRICT;

-- The words of every item that has a body, each once, for searching; rowid is the item's id. The texts
-- themselves are not kept a second time.
CREATE VIRTUAL TABLE search USING fts5(
  words,
  content = '', contentless_delete = 1,
  detail = none,                           -- a fifth of the size; phrases cannot be looked for
  tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
);

-- The pages of an output's archive. Once the next one has begun, a page is complete and its list is
-- never changed.
CREATE TABLE archive (
  output   TEXT    NOT NULL,
  number   INTEGER NOT NULL,               -- from 1, ascends with time
  items    TEXT    NOT NULL,               -- JSON array of the ids of items, in order of arrival
  seen     INTEGER NOT NULL,               -- the last item that was looked at for it
  late     INTEGER NOT NULL,               -- the last row of released that was looked at for it
  PRIMARY KEY (output, number)
) STRICT, WITHOUT ROWID;

-- Items that waited for a word of the operator and got it: archives were past them already.
CREATE TABLE released (
  id       INTEGER PRIMARY KEY,
  item_id  INTEGER NOT NULL REFERENCES item(id)
) STRICT;

CREATE TRIGGER item_released AFTER UPDATE OF hidden ON item WHEN old.hidden IN ('history', 'burst') AND new.hidden = 'pending'
BEGIN
  INSERT INTO released (item_id) VALUES (new.id);
END;

-- All polls of an hour together. Rows older than two weeks go with the next poll.
CREATE TABLE hour (
  hour       INTEGER PRIMARY KEY,          -- hours since 1970
  polls      INTEGER NOT NULL,
  failed     INTEGER NOT NULL,             -- of these: no success
  unchanged  INTEGER NOT NULL,             -- of these: a success without anything new or changed
  wire_bytes INTEGER NOT NULL,
  new_items  INTEGER NOT NULL
) STRICT;

-- From publication to first sight, of items that came after their feed's first poll.
CREATE TABLE delay (
  hour       INTEGER NOT NULL,             -- of first sight
  bucket     INTEGER NOT NULL,             -- how long it took: the number of a bucket
  items      INTEGER NOT NULL,
  PRIMARY KEY (hour, bucket)
) STRICT, WITHOUT ROWID;

-- Something was the matter for a while. One row from its beginning to its end.
CREATE TABLE incident (
  kind        TEXT    NOT NULL,            -- slug
  subject     TEXT    NOT NULL,            -- the id of a feed or an output; empty: newswire itself
  opened_at   INTEGER NOT NULL,            -- when it was first told of
  name        TEXT    NOT NULL,            -- the subject's, for people
  state       TEXT    NOT NULL,            -- slug of what exactly; another one is news
  text        TEXT    NOT NULL,            -- what is the matter
  remedy      TEXT    NOT NULL,            -- what to do
  toml        TEXT,                        -- the change of the config; NULL: none would help
  since       INTEGER NOT NULL,            -- when it began
  changed_at  INTEGER NOT NULL,
  resolved_at INTEGER,                     -- NULL: it lasts
  PRIMARY KEY (kind, subject, opened_at)
) STRICT, WITHOUT ROWID;

-- An output shows an item under its publisher's id, which an item of a feed that the output did not have
-- got first. A row is never deleted, and whoever comes into the output later keeps clear of it.
CREATE TABLE lent (
  output   TEXT    NOT NULL,
  item_id  INTEGER NOT NULL REFERENCES item(id),
  id       TEXT    NOT NULL,               -- as it went out
  PRIMARY KEY (output, item_id),
  UNIQUE (output, id)
) STRICT, WITHOUT ROWID;

-- What an output showed last, so that the next publication can be held against it after a restart.
CREATE TABLE edition (
  output   TEXT    PRIMARY KEY,
  shown    TEXT    NOT NULL,               -- JSON, in the form of render::Last
  basis    BLOB,                           -- SHA-256 of all that the files in its directory depend on; NULL: not known
  until    INTEGER                         -- when an item leaves it by age; NULL: none does
) STRICT, WITHOUT ROWID;

-- One row. The number ascends with every write that may change what an output shows.
CREATE TABLE revision (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  number   INTEGER NOT NULL
) STRICT;

INSERT INTO revision VALUES (1, 0);
