/** A ruleset that the nft of a Debian 12 takes, with a rule of each kind that matters here and of some that do not. */
export const RULESET = `table inet filter {
	set bad {
		type ipv4_addr
		flags interval
		elements = { 192.0.2.0/24, 198.51.100.7 }
	}

	map ports {
		type inet_service : verdict
		elements = { 22 : accept, 25 : drop }
	}

	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { invalid : drop, established : accept, related : accept }
		ip saddr @bad drop comment "bad { people"
		tcp dport vmap @ports
		ct state invalid log prefix "INVALID drop: " level info
		ct state { invalid, untracked } counter packets 3 bytes 180 reject with icmpx admin-prohibited
		icmp type destination-unreachable drop
		icmpv6 type packet-too-big counter packets 4 bytes 5000 drop
		icmp type echo-request drop
		meta l4proto icmp drop
		jump checks
		ct state invalid jump logdrop
		ct state invalid counter packets 7 bytes 420 accept
		limit rate 10/second accept
		ip saddr { 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.8, 10.0.0.9, 10.0.0.10, 10.0.0.11, 10.0.0.12, 10.0.0.13 } accept
	}

	chain checks {
		ct state invalid counter packets 9 bytes 900 drop
		ct state != invalid accept
	}

	chain logdrop {
		log prefix "x"
		counter packets 1 bytes 60 drop
	}

	chain unused {
		ct state invalid drop
	}

	chain forward {
		type filter hook forward priority filter + 10; policy accept;
		tcp flags syn tcp option maxseg size set rt mtu
		jump checks
	}

	chain early {
		type filter hook prerouting priority raw; policy accept;
		tcp dport 25 notrack
	}

	chain late {
		type filter hook output priority mangle; policy accept;
		tcp dport 25 counter packets 2 bytes 120 queue num 3
		tcp dport 2525 queue num 3
	}
}
table ip nat {
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 10.0.0.0/8 masquerade
	}

	chain out {
		type nat hook output priority -100; policy accept;
		tcp dport 25 redirect to :2525
		tcp dport { 25, 587 } dnat to 10.0.0.1
	}
}
`;
