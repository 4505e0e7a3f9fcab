//! Do these replicas fit onto so many nodes? First fit on real GPUs, CPUs and memory, largest first.

use super::claims::NodeAsk;

/// Room on a node: GPUs, CPUs, memory in GiB.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub gpus: f64,
    pub vcpus: f64,
    pub ram_gib: f64,
}

/// A replica, and the GPU slots that it is counted with.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub ask: NodeAsk,
    pub slots: u32,
}

/// Rounding slack of sums of CPUs and memory.
const SLACK: f64 = 1e-6;

/// True when first fit finds a place for every item: on the real numbers, or slot by slot, which is exact for sizes that are
/// powers of two and never takes more than a node's real room.
pub(super) fn fits(items: &[Item], nodes: usize, room: Room) -> bool {
    let mut items = items.to_vec();
    items.sort_by(|a, b| b.slots.cmp(&a.slots).then(b.ask.gpus.cmp(&a.ask.gpus)).then(b.ask.ram_gib.total_cmp(&a.ask.ram_gib)));
    by_numbers(&items, nodes, room) || by_slots(&items, nodes, room)
}

fn by_numbers(items: &[Item], nodes: usize, room: Room) -> bool {
    let mut left = vec![room; nodes];
    items.iter().all(|item| {
        let fit = left.iter_mut().find(|node| {
            f64::from(item.ask.gpus) <= node.gpus + SLACK
                && item.ask.vcpus <= node.vcpus + SLACK
                && item.ask.ram_gib <= node.ram_gib + SLACK
        });
        let Some(node) = fit else { return false };
        node.gpus -= f64::from(item.ask.gpus);
        node.vcpus -= item.ask.vcpus;
        node.ram_gib -= item.ask.ram_gib;
        true
    })
}

fn by_slots(items: &[Item], nodes: usize, room: Room) -> bool {
    let mut left = vec![room.gpus as u32; nodes];
    items.iter().all(|item| {
        let Some(node) = left.iter_mut().find(|free| **free >= item.slots) else { return false };
        *node -= item.slots;
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(gpus: u32, vcpus: f64) -> Item {
        Item { ask: NodeAsk { gpus, vcpus, ram_gib: 1.0 }, slots: gpus }
    }

    #[test]
    fn cpus_bind_where_gpus_do_not() {
        let room = Room { gpus: 4.0, vcpus: 10.0, ram_gib: 100.0 };
        let greedy = Item { slots: 4, ..item(1, 9.0) };
        assert!(fits(&[item(2, 4.0), item(1, 3.0), item(1, 3.0)], 1, room));
        assert!(!fits(&[greedy, greedy], 1, room));
        assert!(fits(&[greedy, greedy], 2, room));
    }

    #[test]
    fn large_ones_first() {
        let room = Room { gpus: 4.0, vcpus: 100.0, ram_gib: 100.0 };
        assert!(fits(&[item(1, 1.0), item(2, 1.0), item(1, 1.0), item(4, 1.0)], 2, room));
        assert!(!fits(&[item(1, 1.0), item(2, 1.0), item(2, 1.0), item(4, 1.0)], 2, room));
    }
}
