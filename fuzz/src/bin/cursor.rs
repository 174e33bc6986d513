#![cfg_attr(fuzzing, no_main)]
//! The target `cursor` for libFuzzer.

sakms_fuzz::fuzz!(cursor);
