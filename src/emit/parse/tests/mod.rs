//! Reading back: the goldens by hand, and folders that someone has edited.

mod goldens;
mod legal;
mod refused;
mod sample;
