#![cfg_attr(fuzzing, no_main)]
//! The target `stored_hash` for libFuzzer.

sakms_fuzz::fuzz!(stored_hash);
