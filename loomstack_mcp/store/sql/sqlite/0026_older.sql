-- What was there before a run made anything is no form of its work, however equal it is: a list of commits.

ALTER TABLE imprint ADD COLUMN older TEXT NOT NULL DEFAULT '[]';
