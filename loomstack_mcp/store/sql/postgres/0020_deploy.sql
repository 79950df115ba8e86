-- What was deployed where, and which commits came with it: a change is followed to where it runs. And what a trace asks for.

-- `called` is what CI or a tag calls a deploy, '' where it has no name; `previous` is the deploy that it goes on from;
-- `covers` counts the commits that came with it, `is_cut` where they are more than are kept; `whole` once all of those are.
-- `decision` is what let it through.
CREATE TABLE deploy (
  id TEXT COLLATE "C" PRIMARY KEY,
  repo_id TEXT COLLATE "C" NOT NULL REFERENCES repo (id),
  seq BIGINT NOT NULL,
  environment TEXT COLLATE "C" NOT NULL,
  sha TEXT COLLATE "C" NOT NULL,
  called TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('first', 'forward', 'aside', 'rollback', 'again')),
  previous TEXT COLLATE "C" NOT NULL,
  how TEXT COLLATE "C" NOT NULL CHECK (how IN ('recorded', 'tag', 'gate')),
  who TEXT COLLATE "C" NOT NULL,
  decision TEXT COLLATE "C" NOT NULL,
  covers BIGINT NOT NULL,
  is_cut BIGINT NOT NULL CHECK (is_cut IN (0, 1)),
  whole BIGINT NOT NULL CHECK (whole IN (0, 1)),
  deployed_at_ms BIGINT NOT NULL,
  recorded_at_ms BIGINT NOT NULL
);
CREATE INDEX deploy_latest ON deploy (repo_id, seq);
CREATE INDEX deploy_environment ON deploy (repo_id, environment, seq);
CREATE INDEX deploy_called ON deploy (repo_id, called) WHERE called <> '';
CREATE INDEX deploy_decision ON deploy (decision) WHERE decision <> '';

-- The commits that came with a deploy, the newest first by `place`.
CREATE TABLE deploy_commit (
  repo_id TEXT COLLATE "C" NOT NULL,
  sha TEXT COLLATE "C" NOT NULL,
  deploy_id TEXT COLLATE "C" NOT NULL REFERENCES deploy (id),
  place BIGINT NOT NULL,
  PRIMARY KEY (repo_id, sha, deploy_id)
);
CREATE INDEX deploy_commit_place ON deploy_commit (deploy_id, place);

-- Whose change a decision is about, and which commit would land, where that was told.
ALTER TABLE decision ADD COLUMN about_run TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN head TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX decision_about ON decision (about_run, decided_at_ms) WHERE about_run <> '';
CREATE INDEX decision_head ON decision (repo_id, head) WHERE head <> '';

CREATE INDEX approval_decision ON approval (decision_id);
CREATE INDEX note_run ON note (run_id) WHERE run_id IS NOT NULL;
