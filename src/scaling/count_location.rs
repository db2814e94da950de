//! The location of the number of replicas of a type.

use crate::cluster::api::Resource;

/// The location of the number of replicas of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CountLocation {
    /// In the scale subresource. It leaves out a count of zero.
    Scale,
    /// In this field of the object's own spec.
    Field(&'static str),
}

impl CountLocation {
    /// The place for a type. A Job and a LocustTest of `locust.cloud` have no scale subresource.
    pub(super) fn of(resource: &Resource) -> Self {
        match (&*resource.group, &*resource.plural) {
            ("batch", "jobs") => Self::Field("parallelism"),
            _ if is_test_of_locust_cloud(resource) => Self::Field("workers"),
            _ => Self::Scale,
        }
    }

    /// The name of the field in `spec`, of the object or of its Scale.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Scale => "replicas",
            Self::Field(field) => field,
        }
    }
}

/// The name of the field in the `spec` of an object that has the number of replicas.
pub fn count_field(resource: &Resource) -> &'static str {
    CountLocation::of(resource).field()
}

/// True for a LocustTest of `locust.cloud`. It has workers, and no pod template.
pub fn is_test_of_locust_cloud(resource: &Resource) -> bool {
    (&*resource.group, &*resource.plural) == ("locust.cloud", "locusttests")
}

/// True for a LocustTest of `locust.io`: its operator ignores changes after the creation.
pub(super) fn ignores_changes(resource: &Resource) -> bool {
    (&*resource.group, &*resource.plural) == ("locust.io", "locusttests")
}
