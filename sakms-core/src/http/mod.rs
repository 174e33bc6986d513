//! One route table for every framework.
