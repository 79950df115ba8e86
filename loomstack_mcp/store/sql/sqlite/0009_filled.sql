-- Up to where the ledger of a repo was filled, so that a session that finds it so need not compare histories.
ALTER TABLE repo ADD COLUMN filled TEXT NOT NULL DEFAULT '';
