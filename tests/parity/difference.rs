//! Where locustctl means to differ from kubectl. Nothing else may.

/// A difference that is meant; docs/differences.md lists them for users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// With nothing named, kubectl complains; we scale `deployment/locust-slave`.
    DefaultTarget,
    /// kubectl forgets what it could not find once a target fails, and stops there; we try every
    /// target and report every error.
    EveryTarget,
    /// kubectl sends counts above int32, cut down in the PUT path; we refuse them.
    CountAboveInt32,
    /// kubectl prints nothing for a target that was scaled but timed out; we print its line.
    LineBeforeTimeout,
    /// kubectl writes the change-cause in a server dry run; we write nothing in dry runs.
    RecordInDryRun,
    /// kubectl writes `--token` into the change-cause; we leave secrets out.
    SecretInRecord,
    /// kubectl falls back to localhost:8080; we say that no cluster is configured.
    NoCluster,
    /// kubectl asks nothing of the server in a client dry run with a manifest; we read the count
    /// that would be replaced, so that what is missing or has no scale is an error.
    ClientDryRunReads,
    /// After NotFound we add lines with what may have been meant.
    Suggestion,
    /// After an unknown type that stands alone we add that it may be a name.
    LoneName,
    /// Built-in types need no discovery: a mistake is named although no server answers, and what
    /// the server has against the caller is said in its own words.
    NoDiscovery,
    /// kubectl takes `deploymentlist` for a type and fails with it; to us it is unknown.
    ListKind,
    /// In a client dry run kubectl does not look at conditions; we say when one would not hold.
    ClientDryRunChecks,
    /// kubectl scales what comes before an impossible name; we scale nothing then.
    ImpossibleName,
    /// After a 429 without `Retry-After` kubectl gives up; we send it again a little later.
    BusyIsNoReason,
    /// Of several targets kubectl does not always say which one an error is about.
    NamesTarget,
    /// After an answer that leaves open what was done, we read the count and say what stands there.
    CountLookedUp,
}
