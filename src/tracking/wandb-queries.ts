/** The GraphQL operations that the thin client sends; each asks only for what is read. */
export const wandbQueries = {
  upsertBucket: `mutation UpsertBucket($name: String!, $project: String!, $entity: String, $groupName: String,
    $displayName: String, $notes: String, $jobType: String, $commit: String, $tags: [String!], $config: JSONString) {
    upsertBucket(input: { name: $name, modelName: $project, entityName: $entity, groupName: $groupName,
      displayName: $displayName, notes: $notes, jobType: $jobType, commit: $commit, tags: $tags, config: $config }) {
      bucket { name historyLineCount project { name entity { name } } }
      inserted
    }
  }`,
  createArtifact: `mutation CreateArtifact($input: CreateArtifactInput!) {
    createArtifact(input: $input) { artifact { id state } }
  }`,
  createArtifactManifest: `mutation CreateArtifactManifest($artifactID: ID!, $name: String!, $digest: String!,
    $entityName: String!, $projectName: String!, $runName: String!, $includeUpload: Boolean!) {
    createArtifactManifest(input: { artifactID: $artifactID, name: $name, digest: $digest, entityName: $entityName,
      projectName: $projectName, runName: $runName, type: FULL }) {
      artifactManifest { id file { uploadUrl @include(if: $includeUpload) uploadHeaders @include(if: $includeUpload) } }
    }
  }`,
  createArtifactFiles: `mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) {
    createArtifactFiles(input: $input) {
      files { edges { node { name uploadUrl uploadHeaders } } }
    }
  }`,
  commitArtifact: `mutation CommitArtifact($artifactID: ID!) {
    commitArtifact(input: { artifactID: $artifactID }) { artifact { id digest } }
  }`,
} as const;
