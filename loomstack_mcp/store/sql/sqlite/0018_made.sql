-- When a commit was made by the store's clock, as was seen where it was made; 0 where nobody saw that. A run began so long
-- before by the clock of that machine, too.
ALTER TABLE binding ADD COLUMN made_at_ms INTEGER NOT NULL DEFAULT 0;

-- When the first of what a run made was made, by the clock of the machine where it was; 0 where that is not known.
ALTER TABLE imprint ADD COLUMN made_at_ms INTEGER NOT NULL DEFAULT 0;
