//! The family of an instance type, as the clouds' quota pages group them.

use crate::domain::{Cloud, InstanceType};

/// Family of an instance type.
///
/// AWS: the part before the dot (`g6e`); Google Cloud: the part before the first dash (`g2`); Azure: the name without
/// `Standard_` and without its size (`NC24ads_A100_v4` is of `NCads_A100_v4`).
#[must_use]
pub fn family(cloud: Cloud, instance_type: &str) -> String {
    match cloud {
        Cloud::Aws => instance_type.split('.').next().unwrap_or(instance_type).to_owned(),
        Cloud::Gcp => instance_type.split('-').next().unwrap_or(instance_type).to_owned(),
        Cloud::Azure => {
            let name = instance_type.strip_prefix("Standard_").unwrap_or(instance_type);
            let letters = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
            let (head, tail) = name.split_at(letters);
            format!("{head}{}", tail.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
    }
}

/// Whether a quota's family name counts this instance type. On AWS the letters alone (`g`, `p`) count all generations.
#[must_use]
pub fn counts(family_name: &str, instance_type: &InstanceType) -> bool {
    let own = family(instance_type.cloud, instance_type.id.as_str());
    let letters = own.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
    own.eq_ignore_ascii_case(family_name) || (instance_type.cloud == Cloud::Aws && letters == family_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_follow_the_quota_pages() {
        assert_eq!(family(Cloud::Aws, "g6e.12xlarge"), "g6e");
        assert_eq!(family(Cloud::Gcp, "a2-highgpu-1g"), "a2");
        assert_eq!(family(Cloud::Azure, "Standard_NC24ads_A100_v4"), "NCads_A100_v4");
    }
}
