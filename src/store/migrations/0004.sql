-- Items that waited for a word of the operator and got it: archives were past them already.
CREATE TABLE released (
  id       INTEGER PRIMARY KEY,
  item_id  INTEGER NOT NULL REFERENCES item(id)
) STRICT;

CREATE TRIGGER item_released AFTER UPDATE OF held ON item WHEN old.held IS NOT NULL AND new.held IS NULL
BEGIN
  INSERT INTO released (item_id) VALUES (new.id);
END;

ALTER TABLE archive ADD COLUMN late INTEGER NOT NULL DEFAULT 0; -- the last row of released that was looked at for it
