import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** The search attributes that make the list of runs in the Temporal Web UI useful. Registered when a worker starts. */
export const searchAttributes = {
  /** `pipeline`, `training` or `control`. */
  kind: defineSearchAttributeKey('CoxswainKind', SearchAttributeType.KEYWORD),
  /** Name of the model in the registry. */
  model: defineSearchAttributeKey('CoxswainModel', SearchAttributeType.KEYWORD),
  environment: defineSearchAttributeKey('CoxswainEnvironment', SearchAttributeType.KEYWORD),
  gitSha: defineSearchAttributeKey('CoxswainGitSha', SearchAttributeType.KEYWORD),
  /** Step that the run is in, or how it ended. */
  stage: defineSearchAttributeKey('CoxswainStage', SearchAttributeType.KEYWORD),
  /** Best score on the validation part so far; lower is better. */
  bestScore: defineSearchAttributeKey('CoxswainBestScore', SearchAttributeType.DOUBLE),
} as const;
