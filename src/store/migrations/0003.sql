-- The words of every item that has a body, for searching; rowid is the item's id. The texts
-- themselves are not kept a second time.
CREATE VIRTUAL TABLE search USING fts5(
  title, text,
  content = '', contentless_delete = 1,
  detail = none,                           -- a fifth of the size; phrases cannot be looked for
  tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
);

-- How far the index of words has come; what is new is put into it once a commit.
CREATE TABLE indexed (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  upto     INTEGER NOT NULL                -- the last item in it
) STRICT;

INSERT INTO indexed (id, upto) SELECT 1, ifnull(max(id), 0) FROM item;

-- The pages of an output's archive. Once the next one has begun, a page is complete and its list is
-- never changed.
CREATE TABLE archive (
  output   TEXT    NOT NULL,
  number   INTEGER NOT NULL,               -- from 1, ascends with time
  items    TEXT    NOT NULL,               -- JSON array of the ids of items, in order of arrival
  seen     INTEGER NOT NULL,               -- the last item that was looked at for it
  PRIMARY KEY (output, number)
) STRICT, WITHOUT ROWID;
