//! Regular expressions of label matchers, as far as they are used: literals, `.`, `.*`, `.+` and alternatives, always anchored.

/// A pattern over whole label values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Vec<Piece>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Literal(char),
    Any,
    /// `.*`
    Run,
}

impl Pattern {
    /// `None` for what this does not cover: groups, classes, counts, anchors.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut branches = vec![Vec::new()];
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let branch = branches.last_mut()?;
            match character {
                '|' => branches.push(Vec::new()),
                '.' => match characters.peek() {
                    Some('*') => {
                        characters.next();
                        branch.push(Piece::Run);
                    }
                    Some('+') => {
                        characters.next();
                        branch.extend([Piece::Any, Piece::Run]);
                    }
                    _ => branch.push(Piece::Any),
                },
                '\\' => match characters.next()? {
                    letter if letter.is_ascii_alphanumeric() => return None,
                    escaped => branch.push(Piece::Literal(escaped)),
                },
                '(' | ')' | '[' | ']' | '{' | '}' | '*' | '+' | '?' | '^' | '$' => return None,
                literal => branch.push(Piece::Literal(literal)),
            }
        }
        Some(Self(branches))
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|pieces| {
            let mut characters = text.chars();
            // Without runs, which is most of them, one pass decides.
            if pieces.contains(&Piece::Run) {
                let characters: Vec<char> = characters.collect();
                return branch_matches(pieces, &characters);
            }
            pieces.iter().all(|piece| characters.next().is_some_and(|c| single(*piece, c))) && characters.next().is_none()
        })
    }
}

fn single(piece: Piece, character: char) -> bool {
    match piece {
        Piece::Literal(literal) => literal == character,
        Piece::Any | Piece::Run => character != '\n',
    }
}

/// Which prefixes of the text the pieces so far can match, piece by piece.
fn branch_matches(pieces: &[Piece], text: &[char]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for piece in pieces {
        let mut next = vec![false; text.len() + 1];
        for (i, open) in reached.iter().enumerate() {
            if !open {
                continue;
            }
            match piece {
                Piece::Run => {
                    let end = text[i..].iter().position(|c| *c == '\n').map_or(text.len(), |run| i + run);
                    next[i..=end].fill(true);
                }
                Piece::Literal(_) | Piece::Any => {
                    if text.get(i).is_some_and(|c| single(*piece, *c)) {
                        next[i + 1] = true;
                    }
                }
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}
