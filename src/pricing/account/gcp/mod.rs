//! Google Cloud by the user's own project: prices, machines, zones, and commitments that are held.
//!
//! In: how to ask, and what for. Out: what the project's regions brought, and the faults of calls that brought nothing. Credentials are
//! the Application Default Credentials, which the client library looks up. What may be asked are three permissions, all of which only
//! read (`docs/prices.md`).

mod commitments;
mod faults;
mod machines;
mod session;
mod skus;

use super::{Brought, Scope, Shut};
use crate::diagnostic::{Diagnostic, Severity};
use crate::pricing::codes;
use crate::pricing::gathered::Gathered;
use crate::pricing::http::Policy;
use session::Session;

/// How to ask.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How patient to be.
    pub policy: Policy,
    /// Project whose machines and commitments are listed.
    pub project: Option<String>,
    /// Another address for Compute Engine.
    pub compute: Option<String>,
    /// Another address for Cloud Billing.
    pub billing: Option<String>,
}

/// Asks for all of it. A call that fails takes nothing from what the others brought, but prices of parts need machines to be parts of.
/// The faults are in the second list, as errors where prices are missing because of them, and as warnings where only evidence is.
#[must_use]
pub fn fetch(settings: &Settings, scope: &Scope<'_>) -> (Gathered, Vec<Diagnostic>) {
    let Some(project) = settings.project.as_deref().map(str::trim).filter(|project| !project.is_empty()) else {
        let message = "Google Cloud: no project, and machines are listed by project";
        let mut fault = Diagnostic::new(codes::CREDENTIALS, Severity::Error, message);
        fault.help("set GOOGLE_CLOUD_PROJECT to a project with the Compute Engine API, or use --source public");
        return (Gathered::default(), vec![fault]);
    };
    let mut brought = Brought::default();
    match session::open(settings, project, scope.progress) {
        Ok(session) => {
            // The fault is noted; there is nothing more to be done about it.
            let _: Result<(), Shut> = ask_all(&session, scope, &mut brought);
        }
        Err(fault) => brought.faults.push(fault),
    }
    (brought.gathered, brought.faults)
}

fn ask_all(session: &Session<'_>, scope: &Scope<'_>, brought: &mut Brought) -> Result<(), Shut> {
    if let Some(listed) = brought.take(machines::listed(session, scope))? {
        let priced = brought.take(skus::priced(session, scope, &listed.machines))?;
        brought.gathered.add(listed.gathered);
        if let Some(priced) = priced {
            brought.gathered.add(priced);
        }
    }
    if let Some(held) = brought.take(commitments::held(session, scope))? {
        brought.gathered.add(held);
    }
    Ok(())
}

/// Last part of a name that may be an address: `us-central1-a` of `https://…/zones/us-central1-a`.
fn last_part(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}

#[cfg(test)]
mod tests;
