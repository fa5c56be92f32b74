-- Times are milliseconds since 1970, UTC. Digests are the first 16 bytes of a SHA-256.
-- A migration is never edited once it is released, only followed by another.

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
  complaints     TEXT    NOT NULL,         -- JSON array: what had to be mended in the last document
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
  items          INTEGER NOT NULL          -- how many were ever kept
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
  fingerprint  BLOB    NOT NULL,           -- digest of what a reader would notice
  url_key      BLOB,                       -- digest of the canonical URL; NULL: its URL proves nothing
  first_seen_at INTEGER NOT NULL,
  sort_at      INTEGER NOT NULL,           -- min(published, first seen), never moved
  published_at INTEGER,                    -- NULL: the publisher gave no credible date
  updated_at   INTEGER,                    -- NULL: as published_at
  guid         TEXT,                       -- the publisher's own; NULL: none
  url          TEXT,                       -- NULL: it has no page
  title        TEXT,                       -- plain; NULL: untitled
  language     TEXT                        -- BCP 47; NULL: unknown
) STRICT;

-- One feed's newest items, without a sort.
CREATE INDEX item_order ON item(feed_id, sort_at DESC, id DESC, story_id);
-- Items of other feeds with the same canonical URL.
CREATE INDEX item_url ON item(url_key) WHERE url_key IS NOT NULL;
-- The others of a story: small, for most items are alone.
CREATE INDEX item_story ON item(story_id) WHERE story_id <> id;

-- By what an item is recognised at the next poll. An item may have several: a publisher changes guids.
CREATE TABLE identity (
  feed_id  INTEGER NOT NULL REFERENCES feed(id),
  digest   BLOB    NOT NULL,               -- of the guid, else the link, else the content
  item_id  INTEGER NOT NULL REFERENCES item(id),
  PRIMARY KEY (feed_id, digest)
) STRICT, WITHOUT ROWID;

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
