//! A server as a station of the model: what a question demands, and how much it serves at once.

use super::mean_value::{ClosedNetwork, Steady};

/// What one question demands of a server.
///
/// ```
/// use zen_trace::model::{Demand, Station};
///
/// // A handler that sleeps for 2 ms holds its thread, and hardly computes.
/// let sleeps = Demand::new(0.002, 0.000_010);
/// let steady = Station::new(1, None).predict(&sleeps, 0.0, 10);
/// assert!((steady.throughput - 500.0).abs() < 1e-6 && steady.utilization < 0.01);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Demand {
    /// For how long a thread is taken up by it, in seconds: computing, or blocked in a handler.
    pub held: f64,
    /// The CPU time of it, in seconds; at most `held`.
    pub computing: f64,
}

impl Demand {
    /// A question that takes up a thread for `held` seconds, of which it computes `computing`.
    pub fn new(held: f64, computing: f64) -> Self {
        Self { held: held.max(computing), computing }
    }
}

/// How an architecture serves: the two numbers in which architectures differ, as far as the model
/// knows them.
///
/// ```
/// use zen_trace::model::{Demand, Station};
///
/// let demand = Demand::new(0.003, 0.003);
/// // One conversation at a time: the other seven clients stand in line.
/// let blocking = Station::new(1, Some(1)).predict(&demand, 0.040, 8);
/// // One loop for all conversations.
/// let mio = Station::new(1, None).predict(&demand, 0.040, 8);
/// assert!((blocking.utilization - 0.0698).abs() < 1e-4);
/// assert!(mio.utilization > 7.0 * blocking.utilization * 0.9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Station {
    servers: usize,
    conversations: Option<usize>,
}

impl Station {
    /// A server that works on `servers` questions at the same time, at least one, and holds at most
    /// `conversations` at once, or any number.
    ///
    /// The first is bounded by the cores when questions compute, and by the threads when they
    /// block. The second is 1 for a server that talks to one client until it hangs up, and the
    /// number of workers for a pool of them: a client that thinks holds its place.
    pub fn new(servers: usize, conversations: Option<usize>) -> Self {
        Self { servers: servers.max(1), conversations }
    }

    /// What theory predicts when `clients` clients think for `think` seconds before each question.
    /// The utilization is the occupancy: of CPUs, not of threads.
    pub fn predict(&self, demand: &Demand, think: f64, clients: usize) -> Steady {
        // Those in line are not in the circle until one that is served goes.
        let served = self.conversations.map_or(clients, |most| clients.min(most));
        let steady = ClosedNetwork::new(demand.held, think, self.servers).solve(served);
        Steady { utilization: steady.throughput * demand.computing, ..steady }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occupancy(station: Station, demand: Demand, clients: usize) -> f64 {
        station.predict(&demand, 0.04, clients).utilization
    }

    #[test]
    fn a_server_of_one_conversation_is_occupied_the_same_by_any_number_of_clients() {
        let (station, demand) = (Station::new(1, Some(1)), Demand::new(0.003, 0.003));
        assert!((occupancy(station, demand, 1) - 3.0 / 43.0).abs() < 1e-12);
        assert!((occupancy(station, demand, 1) - occupancy(station, demand, 64)).abs() < 1e-12);
    }

    #[test]
    fn workers_multiply_it_up_to_their_number() {
        let demand = Demand::new(0.0003, 0.0003);
        let one = occupancy(Station::new(4, Some(1)), demand, 64);
        let four = occupancy(Station::new(4, Some(4)), demand, 64);
        assert!((four / one - 4.0).abs() < 0.001, "{four} {one}");
    }

    #[test]
    fn no_more_than_its_cores_are_full() {
        let demand = Demand::new(0.003, 0.003);
        let full = occupancy(Station::new(1, None), demand, 1000);
        assert!((full - 1.0).abs() < 1e-6, "{full}");
        let two = occupancy(Station::new(2, None), demand, 1000);
        assert!((two - 2.0).abs() < 1e-6, "{two}");
    }

    #[test]
    fn a_handler_that_blocks_holds_the_thread_and_not_the_cpu() {
        let blocked = occupancy(Station::new(1, None), Demand::new(0.002, 0.00001), 1000);
        assert!((blocked - 0.00001 / 0.002).abs() < 1e-6, "{blocked}");
    }
}
