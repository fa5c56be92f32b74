-- What tells a quiet feed from a dead one, what newswire did hour by hour, and what was the matter.

ALTER TABLE feed ADD COLUMN longest_gap INTEGER;               -- milliseconds: the longest time without news that ended with some; NULL: not known
ALTER TABLE feed ADD COLUMN still_304 INTEGER NOT NULL DEFAULT 0;   -- polls since the last news: answered 304,
ALTER TABLE feed ADD COLUMN still_same INTEGER NOT NULL DEFAULT 0;  -- with the same body,
ALTER TABLE feed ADD COLUMN still_other INTEGER NOT NULL DEFAULT 0; -- with another document that had no news
ALTER TABLE feed ADD COLUMN empty_since INTEGER;               -- since when its document has no items, though it had some

UPDATE feed SET
  still_304 = (SELECT count(*) FROM poll WHERE feed_id = feed.id AND at > ifnull(feed.last_new_at, 0) AND status = 304),
  still_same = (SELECT count(*) FROM poll WHERE feed_id = feed.id AND at > ifnull(feed.last_new_at, 0)
                AND outcome = 'not_modified' AND status IS NOT 304),
  still_other = (SELECT count(*) FROM poll WHERE feed_id = feed.id AND at > ifnull(feed.last_new_at, 0)
                 AND outcome = 'modified');

-- All polls of an hour together. Rows older than two weeks go with the next poll.
CREATE TABLE hour (
  hour       INTEGER PRIMARY KEY,          -- hours since 1970
  polls      INTEGER NOT NULL,
  failed     INTEGER NOT NULL,             -- of these: no success
  unchanged  INTEGER NOT NULL,             -- of these: a success without anything new or changed
  wire_bytes INTEGER NOT NULL,
  new_items  INTEGER NOT NULL
) STRICT;

INSERT INTO hour (hour, polls, failed, unchanged, wire_bytes, new_items)
SELECT at / 3600000, count(*), sum(outcome NOT IN ('modified', 'not_modified')),
       sum(outcome IN ('modified', 'not_modified') AND new_items + changed_items = 0), sum(wire_bytes), sum(new_items)
FROM poll GROUP BY at / 3600000;

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
