//! Models of what SAKMS does with several threads at once.
//!
//! loom runs a model in every order that the memory model of the language allows. What is modelled is the code itself: a
//! file of `sakms-core` that is written against a module of atomics, and gets loom's here. The models are tests.
#![cfg(test)]

mod hash;
mod service;
