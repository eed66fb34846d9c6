//! Mean-value analysis: how fast a closed circle of clients goes round.

/// Clients that think, ask, wait for the answer, and begin again: a closed queueing network of one
/// delay and one station with one or several servers.
///
/// The clients never leave, so there are always as many. Each thinks for `think` seconds, then asks
/// the station, which serves a question in `service` seconds, as many at a time as it has servers.
///
/// [`solve`](Self::solve) is exact when service times are exponentially distributed, and, with one
/// server, also when the server shares itself among all who wait, whatever the distribution. A real
/// server is neither, quite. The order in which it serves makes no difference to the two bounds
/// `1 / (service + think)` for one client and `servers / service` for many.
///
/// # Source
/// M. Reiser and S. S. Lavenberg, "Mean-Value Analysis of Closed Multichain Queuing Networks",
/// Journal of the ACM 27 (1980): their recursion over the number of clients, for one chain.
///
/// ```
/// use zen_trace::model::ClosedNetwork;
///
/// // A server that computes for 3 ms, and a client that thinks for 40 ms: 7 percent occupied.
/// let one = ClosedNetwork::new(0.003, 0.040, 1).solve(1);
/// assert!((one.utilization - 0.003 / 0.043).abs() < 1e-12);
///
/// // Fifty such clients are more than it can serve.
/// let fifty = ClosedNetwork::new(0.003, 0.040, 1).solve(50);
/// assert!(fifty.utilization > 0.999 && fifty.response > 0.100);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosedNetwork {
    service: f64,
    think: f64,
    servers: usize,
}

/// The state in which a closed network settles.
///
/// ```
/// use zen_trace::model::{ClosedNetwork, Steady};
///
/// let steady = ClosedNetwork::new(0.010, 0.0, 1).solve(4);
/// let Steady { throughput, response, utilization, .. } = steady;
/// // Four clients that never think fill a server that takes 10 ms, and each waits for all four.
/// assert!((throughput - 100.0).abs() < 1e-9 && (response - 0.040).abs() < 1e-9);
/// assert!((utilization - 1.0).abs() < 1e-9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Steady {
    /// Questions answered per second.
    pub throughput: f64,
    /// From question to answer, in seconds: waiting and service.
    pub response: f64,
    /// The share of their time in which the servers are busy, all together: from 0 to the number of
    /// servers.
    pub utilization: f64,
}

impl ClosedNetwork {
    /// A network whose station has `servers` servers, at least one. Both times are in seconds.
    ///
    /// A time that is negative or not a number counts as 0.
    pub fn new(service: f64, think: f64, servers: usize) -> Self {
        Self { service: service.max(0.0), think: think.max(0.0), servers: servers.max(1) }
    }

    /// Where the network settles with so many clients. The work grows with the product of clients
    /// and servers.
    ///
    /// A network in which nothing takes time has no steady state: its throughput is infinite.
    #[allow(clippy::cast_precision_loss, reason = "numbers of clients and servers")]
    pub fn solve(&self, clients: usize) -> Steady {
        let servers = self.servers as f64;
        // The probability that j questions are at the station, for each j that leaves a server
        // idle.
        let mut idle_with = vec![0.0; self.servers];
        idle_with[0] = 1.0;
        let mut waiting = 0.0;
        let mut steady = Steady { throughput: 0.0, response: self.service, utilization: 0.0 };
        for n in 1..=clients {
            // What an arriving question finds: the station of a network with one client fewer.
            let spared: f64 = idle_with.iter().enumerate().map(|(j, p)| (servers - 1.0 - j as f64) * p).sum();
            let response = self.service / servers * (1.0 + waiting + spared);
            let throughput = n as f64 / (response + self.think);
            waiting = throughput * response;
            let busy = throughput * self.service;
            let mut next = vec![0.0; self.servers];
            for j in 1..self.servers {
                next[j] = busy / j as f64 * idle_with[j - 1];
            }
            // Everybody thinks. The textbook takes what is left to 1, which rounding makes useless
            // once the station is full; this is the same by the network's product form.
            next[0] = idle_with[0] * throughput * self.think / n as f64;
            idle_with = next;
            steady = Steady { throughput, response, utilization: busy };
        }
        steady
    }
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss, reason = "numbers of clients and servers")]
mod tests {
    use super::*;

    /// The same network solved as a birth-and-death process: the state is how many questions are at
    /// the station. No recursion over the number of clients, so an independent way.
    fn birth_and_death(service: f64, think: f64, servers: usize, clients: usize) -> f64 {
        let mut weights = vec![1.0_f64];
        for k in 1..=clients {
            let arrivals = (clients - k + 1) as f64 / think;
            let departures = k.min(servers) as f64 / service;
            weights.push(weights[k - 1] * arrivals / departures);
            let largest = weights.iter().copied().fold(0.0, f64::max);
            if largest > 1e200 {
                for weight in &mut weights {
                    *weight /= largest;
                }
            }
        }
        let sum: f64 = weights.iter().sum();
        weights.iter().enumerate().map(|(k, w)| w / sum * k.min(servers) as f64 / service).sum()
    }

    #[test]
    fn one_client_is_the_closed_form() {
        for (service, think) in [(0.003, 0.04), (1e-5, 0.0), (0.002, 1.0)] {
            for servers in [1, 2, 8] {
                let steady = ClosedNetwork::new(service, think, servers).solve(1);
                assert!((steady.throughput - 1.0 / (service + think)).abs() < 1e-6 * steady.throughput);
                assert!((steady.response - service).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn any_number_of_clients_and_servers_is_the_birth_and_death_process() {
        for servers in [1, 2, 3, 4, 8, 16] {
            for clients in [1, 2, 3, 8, 17, 64, 300, 1000] {
                for (service, think) in [(0.003, 0.04), (0.001, 0.001), (20e-6, 0.01), (0.05, 0.04)] {
                    let steady = ClosedNetwork::new(service, think, servers).solve(clients);
                    let expected = birth_and_death(service, think, servers, clients);
                    let off = (steady.throughput / expected - 1.0).abs();
                    assert!(off < 1e-6, "{servers} servers, {clients} clients: off by {off}");
                }
            }
        }
    }

    #[test]
    fn the_operational_laws_hold() {
        for clients in 1..200 {
            let (service, think, servers) = (0.002, 0.03, 4);
            let steady = ClosedNetwork::new(service, think, servers).solve(clients);
            // Little's law over the whole circle, and the two bounds of every closed network.
            let in_circle = steady.throughput * (steady.response + think);
            assert!((in_circle - clients as f64).abs() < 1e-6);
            assert!(steady.throughput <= servers as f64 / service * (1.0 + 1e-9));
            assert!(steady.throughput <= clients as f64 / (service + think) * (1.0 + 1e-9));
        }
    }

    #[test]
    fn nobody_asks_nothing() {
        assert!(ClosedNetwork::new(0.1, 0.1, 1).solve(0).throughput.abs() < f64::EPSILON);
    }
}
