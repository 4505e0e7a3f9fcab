//! Identifiers. Each is a validated string; ordering is by text, so every map and every output is in one stable order.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Wraps a name that the caller has validated.
            #[must_use]
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A served model or a job of the scenario: a DNS label.
    WorkloadId
);
id!(
    /// A performance profile: the stem of its file.
    ProfileId
);
id!(
    /// A GPU type of the catalogue, for example `l40s`.
    AcceleratorId
);
id!(
    /// A cloud machine shape, for example `g6e.xlarge`.
    InstanceTypeId
);
id!(
    /// A cloud region, for example `us-east-1`.
    RegionId
);
id!(
    /// A group of equal machines that run today.
    NodeGroupId
);
id!(
    /// A quota group.
    QuotaId
);
id!(
    /// A commitment that is already paid for.
    CommitmentId
);
id!(
    /// A commitment that is offered.
    ProductId
);
