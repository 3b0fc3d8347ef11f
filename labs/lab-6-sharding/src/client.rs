//! What a client does with a pipeline whose commands belong to different nodes.

use std::collections::BTreeMap;

// ANCHOR: batch
/// The part of a pipeline that goes to one node, in one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The node.
    pub node: usize,
    /// Which commands of the pipeline: their places, ascending.
    pub commands: Vec<usize>,
}
// ANCHOR_END: batch

/// Divides a pipeline. `nodes` says for each command, in order, which node it belongs to.
///
/// Each node gets one batch, with its commands in the pipeline's order. Batches come in the order in which
/// the pipeline first needs their nodes.
pub fn batches(nodes: &[usize]) -> Vec<Batch> {
    // <exercise 6.7 batches>
    todo!("lab 6.7: A pipeline for several nodes")
    // </exercise>
}

/// Puts the replies back into the pipeline's order. `replies` holds, for each of `batches`, what its node sent before it was
/// done or its connection broke.
///
/// A node answers its commands in order, so fewer replies than commands are those of the first commands;
/// of the rest nothing is known (`None`): they may have been executed or not. A node that sends more replies than
/// it was sent commands is out of step, and none of its replies is believed.
pub fn restore<T>(batches: &[Batch], replies: Vec<Vec<T>>) -> Vec<Option<T>> {
    // <exercise 6.7 restore>
    todo!("lab 6.7: A pipeline for several nodes")
    // </exercise>
}
