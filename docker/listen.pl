# Opens the ports of the rtmp nginx, and becomes the command that is given after them, which inherits them.
#   perl listen.pl GUARDED_PORT RELAY_PORT HLS_PORT nginx ...
# Connections accepted there have TCP_NODELAY, which nginx-rtmp cannot set. Under `make run` the supervisor does the same.
use strict;
use warnings;
use Fcntl;
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);

my ($guarded_port, $relay_port, $hls_port, @command) = @ARGV;
$^F = 255;    # what is opened stays open across exec

sub listening {
    my ($port, $address) = @_;
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1) or die "SO_REUSEADDR: $!\n";
    setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1) or die "TCP_NODELAY: $!\n";
    fcntl($socket, F_SETFL, O_NONBLOCK) or die "O_NONBLOCK: $!\n";
    bind($socket, pack_sockaddr_in($port, $address)) or die "port $port: $!\n";
    listen($socket, 2048) or die "port $port: $!\n";
    return $socket;
}

my @sockets = (listening($guarded_port, INADDR_ANY), map { listening($_, INADDR_LOOPBACK) } $relay_port, $hls_port);
$ENV{NGINX} = join "", map { fileno($_) . ";" } @sockets;
exec @command or die "$command[0]: $!\n";
