//! The intended differences between locustctl and kubectl. There may be no other.

/// An intended difference. The documentation lists them for users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Without a target kubectl reports an error. We scale `deployment/locust-slave`.
    DefaultTarget,
    /// When a target fails, kubectl stops and drops the errors about targets that it could not
    /// find. We try every target and report every error.
    EveryTarget,
    /// kubectl sends counts above int32, truncated in the PUT path. We refuse them.
    CountAboveInt32,
    /// kubectl prints nothing for a target that was scaled before a timeout. We print its line.
    LineBeforeTimeout,
    /// kubectl writes the change-cause in a server dry run. We write nothing in dry runs.
    RecordInDryRun,
    /// kubectl writes `--token` into the change-cause. We leave secrets out.
    SecretInRecord,
    /// kubectl falls back to localhost:8080. We report that no cluster is configured.
    NoCluster,
    /// In a client dry run with a manifest, kubectl sends no request. We read the present count, so
    /// a missing object and a type without scale are errors.
    ClientDryRunReads,
    /// After NotFound and after an unknown type we add suggestions.
    Suggestion,
    /// After a 404 for a type without a scale subresource we name the object and its type.
    Unscalable,
    /// After an empty name we add that a variable may not be set.
    EmptyName,
    /// After a single unknown type we add that it may be a name.
    SingleUnknownType,
    /// Built-in types need no discovery. So we report a mistake even if no server answers, and we
    /// report the server's refusal of the user in the server's own words.
    NoDiscovery,
    /// kubectl accepts `deploymentlist` as a type and fails with it later. It is unknown to us.
    ListKind,
    /// In a client dry run kubectl does not check conditions. We warn if one would not hold.
    ClientDryRunChecks,
    /// kubectl scales the targets before an invalid name. We scale nothing.
    ImpossibleName,
    /// After a 429 without `Retry-After` kubectl gives up. We retry after a short time.
    RetryAfter429,
    /// With several targets kubectl does not always name the target of an error.
    ErrorNamesTarget,
    /// If a response does not tell what was done, we read the count and report it.
    CountReported,
}
