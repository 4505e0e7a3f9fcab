//! Lists that come in pages: all of them or none, and a list in JSON without holding it whole.
//!
//! In: a function that asks for one page. Out: every item, or an error. Half a list is never taken for the whole: a machine that is
//! missing from it would look as if it were no longer sold.

use super::codes;
use crate::diagnostic::{Diagnostic, Severity};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use ureq::http::Uri;

/// Pages of one list, at most. The longest list that is read has some forty; a server that goes on beyond this goes on for ever.
pub const MOST: usize = 2000;

const UNTOUCHED: &str =
    "the list changed while it was read, or something on the way is at fault; the last good prices are untouched, try again later";

/// One page.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Its items; may be empty though more pages follow.
    pub items: Vec<T>,
    /// Token or address of the next page; absent or empty on the last.
    pub next: Option<String>,
}

/// Asks for pages until none follows. `ask` gets nothing for the first page, then the token that the page before gave; `what` is the
/// list in words for people.
///
/// # Errors
/// A page that cannot be had, a token that comes again, more than [`MOST`] pages.
pub fn all<T>(what: &str, mut ask: impl FnMut(Option<&str>) -> Result<Page<T>, Diagnostic>) -> Result<Vec<T>, Diagnostic> {
    let mut items = Vec::new();
    let mut given: BTreeSet<String> = BTreeSet::new();
    let mut next: Option<String> = None;
    loop {
        let page = ask(next.as_deref()).map_err(|fault| missing(given.len() + 1, fault))?;
        items.extend(page.items);
        let Some(token) = page.next.filter(|token| !token.is_empty()) else {
            return Ok(items);
        };
        if !given.insert(token.clone()) {
            return Err(broken(format!("{what}: page {} leads back to a page that came before", given.len() + 1)));
        }
        if given.len() >= MOST {
            return Err(broken(format!("{what}: more than {MOST} pages")));
        }
        next = Some(token);
    }
}

/// A fault of the pages themselves.
#[must_use]
pub fn broken(message: String) -> Diagnostic {
    let mut fault = Diagnostic::new(codes::BROKEN_PAGES, Severity::Error, message);
    fault.help(UNTOUCHED);
    fault
}

/// What went wrong with page `number`. A later page that is refused is a hole in the list; other faults keep their code and advice.
fn missing(number: usize, fault: Diagnostic) -> Diagnostic {
    if number == 1 {
        return fault;
    }
    let message = format!("page {number} is missing, so none of the list is used: {}", fault.message);
    if fault.code == codes::BAD_QUESTION { broken(message) } else { Diagnostic { message, ..fault } }
}

/// A JSON list, taken element by element: what [`FromElement`] makes of each is kept and the element is forgotten.
#[derive(Debug)]
pub struct Kept<T>(pub Vec<T>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// What an element of a list becomes.
pub trait FromElement: Sized {
    /// Nothing where the element is none of ours. An element that is ours and cannot be read is a value too, so that it can be named.
    fn from_element(element: &Value) -> Option<Self>;
}

impl<'de, T: FromElement> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);
        impl<'de, T: FromElement> Visitor<'de> for Elements<T> {
            type Value = Kept<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::new();
                while let Some(element) = elements.next_element::<Value>()? {
                    kept.extend(T::from_element(&element));
                }
                Ok(Kept(kept))
            }
        }
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

/// A text as a value in the query of an address: everything but letters, digits and `-._~` becomes `%XX` (RFC 3986, 2.3).
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Whether two addresses have the same scheme, host and port; the port that a scheme implies may be written or not.
#[must_use]
pub fn same_origin(one: &str, other: &str) -> bool {
    let origin = |address: &str| {
        let uri: Uri = address.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let port = uri.port_u16().or(match scheme.as_str() {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        })?;
        Some((scheme, uri.host()?.to_ascii_lowercase(), port))
    };
    origin(one).is_some_and(|one| origin(other).is_some_and(|other| one == other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages by hand: each answers with its number and the token of the next.
    fn read(next_of: impl Fn(usize) -> Option<String>) -> Result<Vec<usize>, Diagnostic> {
        let mut asked = 0;
        all("numbers", |_| {
            asked += 1;
            Ok(Page { items: vec![asked], next: next_of(asked) })
        })
    }

    fn token(number: usize) -> Option<String> {
        Some(number.to_string())
    }

    #[test]
    fn tokens_are_handed_on_and_an_empty_one_ends() {
        let mut tokens = Vec::new();
        let items = all("numbers", |at| {
            tokens.push(at.map(str::to_owned));
            let next = match tokens.len() {
                1 => "b",
                2 => "c",
                _ => "",
            };
            Ok(Page { items: vec![tokens.len()], next: Some(next.to_owned()) })
        });
        assert_eq!(items.expect("all pages"), [1, 2, 3]);
        assert_eq!(tokens, [None, Some("b".to_owned()), Some("c".to_owned())]);
    }

    #[test]
    fn an_empty_page_with_a_token_goes_on() {
        let mut asked = 0;
        let items = all("numbers", |_| {
            asked += 1;
            Ok(Page { items: if asked == 2 { vec![] } else { vec![asked] }, next: if asked < 3 { token(asked) } else { None } })
        });
        assert_eq!(items.expect("all pages"), [1, 3]);
    }

    #[test]
    fn a_token_that_comes_again_is_an_error() {
        for fault in [read(|_| token(7)), read(|n| token(n % 3))] {
            let fault = fault.expect_err("a loop");
            assert_eq!(fault.code, codes::BROKEN_PAGES);
            assert!(fault.message.contains("leads back"), "{fault}");
            assert!(fault.help.is_some());
        }
    }

    #[test]
    fn two_thousand_pages_are_read_and_one_more_is_not() {
        assert_eq!(read(|n| if n < MOST { token(n) } else { None }).expect("just as many").len(), MOST);
        let fault = read(token).expect_err("without end");
        assert_eq!(fault.code, codes::BROKEN_PAGES);
        assert!(fault.message.contains("more than 2000 pages"), "{fault}");
    }

    #[test]
    fn a_hole_in_the_list_is_an_error_and_names_the_page() {
        let fail_at = |page: usize, code: &'static str| {
            let mut asked = 0;
            all("numbers", |_| {
                asked += 1;
                if asked == page {
                    return Err(Diagnostic::new(code, Severity::Error, "HTTP 404"));
                }
                Ok(Page { items: vec![asked], next: token(asked) })
            })
            .expect_err("a hole")
        };
        assert_eq!(
            (fail_at(1, codes::BAD_QUESTION).code, fail_at(1, codes::BAD_QUESTION).message.as_str()),
            (codes::BAD_QUESTION, "HTTP 404")
        );
        let hole = fail_at(3, codes::BAD_QUESTION);
        assert_eq!(hole.code, codes::BROKEN_PAGES);
        assert_eq!(hole.message, "page 3 is missing, so none of the list is used: HTTP 404");
        assert_eq!(fail_at(3, codes::SERVER_FAULT).code, codes::SERVER_FAULT);
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(encoded("armRegionName eq 'eastus'"), "armRegionName%20eq%20%27eastus%27");
        assert_eq!(encoded("a_B-1.2~+/=&é"), "a_B-1.2~%2B%2F%3D%26%C3%A9");
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let base = "https://prices.azure.com/api/retail/prices";
        assert!(same_origin(base, "https://PRICES.azure.com:443/api/retail/prices?$skip=1000"));
        for other in [
            "http://prices.azure.com/api/retail/prices",
            "https://prices.azure.com:444/api/retail/prices",
            "https://prices.azure.com.example.com/",
            "https://prices.azure.com@example.com/",
            "/api/retail/prices?$skip=1000",
            "not an address",
        ] {
            assert!(!same_origin(base, other), "{other}");
        }
    }
}
