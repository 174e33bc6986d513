#![cfg_attr(fuzzing, no_main)]
//! The target `credentials` for libFuzzer.

sakms_fuzz::fuzz!(credentials);
