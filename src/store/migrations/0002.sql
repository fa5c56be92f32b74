-- Stories by text, with a receipt for each decision; guids that change; floods that wait.

ALTER TABLE item ADD COLUMN wanted_id TEXT;                    -- the publisher's id, where another feed's item had it first; NULL: its outward id is what it wanted
ALTER TABLE item ADD COLUMN standing INTEGER NOT NULL DEFAULT 0; -- 0: it links abroad, 1: to the site that its feed came from, 2: to the one that its feed says it belongs to
ALTER TABLE item ADD COLUMN text_key INTEGER;                  -- of the words of its text; NULL: too few to say anything
ALTER TABLE item ADD COLUMN held TEXT;                         -- why it waits for a word of the operator; NULL: it does not
ALTER TABLE item ADD COLUMN changes INTEGER NOT NULL DEFAULT 0; -- how often its words were replaced
ALTER TABLE item ADD COLUMN bumps INTEGER NOT NULL DEFAULT 0;  -- how often a change was shown as one
ALTER TABLE item ADD COLUMN bumped_at INTEGER;                 -- when last; NULL: never

-- What waits stands in no order.
DROP INDEX item_order;
CREATE INDEX item_order ON item(feed_id, sort_at DESC, id DESC, story_id) WHERE held IS NULL;
CREATE INDEX item_held ON item(feed_id, id) WHERE held IS NOT NULL;
CREATE INDEX item_wanted ON item(wanted_id) WHERE wanted_id IS NOT NULL;

ALTER TABLE feed ADD COLUMN guids INTEGER NOT NULL DEFAULT 0;  -- 1: it gave one guid to different things
ALTER TABLE feed ADD COLUMN furniture BLOB NOT NULL DEFAULT x''; -- digests, 8 bytes each, of paragraphs that are the site's

ALTER TABLE identity ADD COLUMN way TEXT;                      -- how an item was recognised under a new guid; NULL: it came with this one
ALTER TABLE identity ADD COLUMN at INTEGER;                    -- when

CREATE INDEX identity_item ON identity(item_id) WHERE way IS NOT NULL;

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

-- What was one story before there were ties.
INSERT INTO tie (item_id, other_id, same, rule, score, threshold, at)
SELECT id, story_id, 1, 'page', 1.0, 1.0, first_seen_at FROM item WHERE story_id < id;

-- The operator's word, for good. other_id 0: the item stands alone; else both belong together.
CREATE TABLE exception (
  item_id   INTEGER NOT NULL REFERENCES item(id),
  other_id  INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (item_id, other_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX exception_other ON exception(other_id, item_id);

-- The keys of an item in the window, so that the index is there again after a start.
CREATE TABLE sketch (
  item_id   INTEGER PRIMARY KEY REFERENCES item(id),
  feed_id   INTEGER NOT NULL,
  at        INTEGER NOT NULL,           -- when it was taken in
  keys      BLOB    NOT NULL            -- 4 bytes each
) STRICT;

-- What words prove, as last learnt; one row.
CREATE TABLE weight (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  at        INTEGER NOT NULL,
  learnt    BLOB    NOT NULL
) STRICT;
