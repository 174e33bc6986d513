#![cfg_attr(fuzzing, no_main)]
//! The target `requirement` for libFuzzer.

sakms_fuzz::fuzz!(requirement);
