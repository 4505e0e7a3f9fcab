//! Prices of machines, put together from the SKUs of Cloud Billing.
//!
//! In: machines with their zones. Out: quotes. A SKU is read by the same code as that of the public catalogue, which has the same form.

use super::session::Session;
use super::{Scope, faults::Action};
use crate::diagnostic::{Diagnostic, Severity};
use crate::pricing::assemble::Machine;
use crate::pricing::codes;
use crate::pricing::gathered::Gathered;
use crate::pricing::pages::{FromElement, Page};
use crate::pricing::public::gcp::{self as public, Entry};

/// Compute Engine among the services.
const COMPUTE_ENGINE: &str = "services/6F81-5844-456A";

/// SKUs a page: the most that the interface allows.
const PAGE: i32 = 5000;

/// Asks for all SKUs, keeps those of parts of GPU machines, and puts the machines together.
///
/// # Errors
/// The list cannot be had, or holds no such part.
pub(super) fn priced(session: &Session<'_>, scope: &Scope<'_>, machines: &[Machine]) -> Result<Gathered, Diagnostic> {
    let action = Action { what: "SKUs of Cloud Billing", permission: "", api: "cloudbilling.googleapis.com", severity: Severity::Error };
    let entries = session.all(
        &action,
        |token| {
            let ask = session.catalog.list_skus().set_parent(COMPUTE_ENGINE).set_currency_code("USD");
            ask.set_page_size(PAGE).set_page_token(token).send()
        },
        |answer| Page {
            next: Some(answer.next_page_token),
            items: answer.skus.iter().filter_map(|sku| Entry::from_element(&serde_json::to_value(sku).ok()?)).collect(),
        },
    )?;
    if entries.is_empty() {
        let message = format!("Google Cloud {}: no price of a GPU machine's part in it", action.what);
        let mut fault = Diagnostic::new(codes::NOTHING_FOUND, Severity::Error, message);
        fault.help("the last good prices are untouched; try again later");
        return Err(fault);
    }
    Ok(public::priced(entries, &public::Scope { regions: scope.regions, machines, now: scope.now }))
}
