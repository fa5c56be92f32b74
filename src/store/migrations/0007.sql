-- Ids are for ever, also in one output alone.

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
  shown    TEXT    NOT NULL                -- JSON, the publish room's own
) STRICT, WITHOUT ROWID;
