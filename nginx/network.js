/* Which addresses count as one client's, for limits: control/ops/addresses.py says the same. */

/**
 * The /64 of an IPv6 address, all of which one line is given; of one that holds an IPv4 address, that.
 * @param {NginxHTTPRequest} r
 */
function of(r) {
    const address = r.rawVariables.binary_remote_addr;
    if (!address || address.length !== 16) return "";
    const digits = address.toString("hex");
    return digits.startsWith("00000000000000000000ffff") ? digits.slice(24) : digits.slice(0, 16);
}

/**
 * The /48 of an IPv6 address, which is the most that one line is given; "" for IPv4.
 * @param {NginxHTTPRequest} r
 */
function wide(r) {
    const counted = of(r);
    return counted.length === 16 ? counted.slice(0, 12) : "";
}

export default { of, wide };
