//! Commitments that the project holds: resource-based committed-use discounts that are active.
//!
//! In: regions. Out: what is held, and until when. The interface gives resources and no rate: at what price they were bought is not
//! known. Spend-based commitments belong to the billing account and are not listed; they do not cover GPUs.

use super::session::Session;
use super::{Scope, faults::Action, last_part};
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use crate::pricing::gathered::{Gathered, Owned, Product};
use crate::pricing::pages::Page;
use google_cloud_compute_v1::model::{Commitment, ResourceCommitment};

/// Entries a page: the most that the interface allows.
const PAGE: u32 = 500;

/// Asks for the commitments of all regions.
///
/// # Errors
/// The list cannot be had.
pub(super) fn held(session: &Session<'_>, scope: &Scope<'_>) -> Result<Gathered, Diagnostic> {
    let action =
        Action { what: "commitments", permission: "compute.commitments.list", api: "compute.googleapis.com", severity: Severity::Warning };
    let commitments = session.all(
        &action,
        |token| session.commitments.aggregated_list().set_project(&session.project).set_max_results(PAGE).set_page_token(token).send(),
        |answer| Page {
            next: answer.next_page_token,
            items: answer.items.into_values().flat_map(|list| list.commitments).collect::<Vec<_>>(),
        },
    )?;
    let mut owned: Vec<Owned> = commitments.iter().filter_map(|commitment| active(commitment, scope)).collect();
    owned.sort_by(|a, b| a.region.cmp(&b.region).then_with(|| a.id.cmp(&b.id)));
    Ok(Gathered { owned, ..Gathered::default() })
}

fn active(commitment: &Commitment, scope: &Scope<'_>) -> Option<Owned> {
    let region = last_part(commitment.region.as_deref()?);
    let is_active = commitment.status.as_ref().and_then(|status| status.name()) == Some("ACTIVE");
    if !is_active || !scope.regions.iter().any(|asked| asked == region) {
        return None;
    }
    let kind = commitment.r#type.as_ref().and_then(|kind| kind.name()).unwrap_or("TYPE_UNSPECIFIED");
    let kind = kind.to_ascii_lowercase().replace('_', "-");
    let resources: Vec<String> = commitment.resources.iter().filter_map(resource).collect();
    Some(Owned {
        cloud: Cloud::Gcp,
        region: region.to_owned(),
        id: commitment.name.clone()?,
        product: Product::ResourceCommitment,
        covers: format!("{kind}: {}", resources.join(", ")),
        count: 0,
        usd_per_hour: None,
        ends: commitment.end_timestamp.as_deref().and_then(|end| end.parse().ok()),
    })
}

/// `96 vcpu`, `680 GiB memory`, `8 nvidia-tesla-a100`.
fn resource(resource: &ResourceCommitment) -> Option<String> {
    let amount = resource.amount?;
    Some(match resource.r#type.as_ref().and_then(|kind| kind.name())? {
        "VCPU" => format!("{amount} vcpu"),
        "MEMORY" => format!("{} GiB memory", amount as f64 / 1024.0),
        "LOCAL_SSD" => format!("{amount} GiB local ssd"),
        "ACCELERATOR" => format!("{amount} {}", resource.accelerator_type.as_deref().map_or("accelerators", last_part)),
        other => format!("{amount} {other}"),
    })
}
