//! Commitments to buy: cases whose optimum is known by hand, every amount tried on tiny ones, and what must not happen when a
//! product is offered or gets dearer.

mod brute;
mod by_hand;
mod input;
mod kinds;
