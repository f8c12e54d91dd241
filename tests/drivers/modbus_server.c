/* A Modbus server made of libmodbus, for the driver's tests: `server tcp PORT` or `server rtu DEVICE UNIT`.
 * Registers and bits hold what the test expects; "ready" is printed once it listens. It ends when its input closes. */
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not modbus_set_float_abcd: up to libmodbus 3.1.6 it puts bytes in the order BADC on the wire of a PC. */
static void put_float(float value, uint16_t *high, uint16_t *low) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    *high = bits >> 16;
    *low = bits & 0xFFFF;
}

static int serve(modbus_t *ctx, modbus_mapping_t *map, int fd) {
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
        struct pollfd ends[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
        if (poll(ends, 2, -1) < 0)
            return 1;
        if (ends[1].revents)
            return 0;
        int length = modbus_receive(ctx, query);
        if (length > 0)
            modbus_reply(ctx, query, length, map);
        else if (length < 0 && modbus_get_socket(ctx) < 0)
            return 1;
        else if (length < 0 && errno == ECONNRESET)
            return 2;
    }
}

int main(int argc, char **argv) {
    int rtu = argc > 3 && strcmp(argv[1], "rtu") == 0;
    modbus_t *ctx = rtu ? modbus_new_rtu(argv[2], 9600, 'N', 8, 1) : modbus_new_tcp("127.0.0.1", atoi(argv[2]));
    modbus_mapping_t *map = modbus_mapping_new(64, 64, 300, 64);
    if (!ctx || !map)
        return 1;
    for (int i = 0; i < 300; i++)
        map->tab_registers[i] = i;
    put_float(10412.5f, map->tab_registers + 100, map->tab_registers + 101);
    put_float(-273.25f, map->tab_registers + 103, map->tab_registers + 102);
    int32_t stroke = -123456;
    int64_t count = -1234567890123LL;
    MODBUS_SET_INT32_TO_INT16(map->tab_registers, 104, stroke);
    MODBUS_SET_INT64_TO_INT16(map->tab_registers, 106, count);
    map->tab_input_registers[4] = 2240;
    map->tab_input_registers[5] = 4500;
    map->tab_input_bits[3] = 1;
    map->tab_bits[9] = 1;
    if (rtu) {
        modbus_set_slave(ctx, atoi(argv[3]));
        if (modbus_connect(ctx) < 0)
            return 1;
        puts("ready");
        fflush(stdout);
        return serve(ctx, map, modbus_get_socket(ctx));
    }
    int door = modbus_tcp_listen(ctx, 1);
    if (door < 0)
        return 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd ends[2] = {{.fd = door, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
        if (poll(ends, 2, -1) < 0 || ends[1].revents)
            return 0;
        if (modbus_tcp_accept(ctx, &door) >= 0 && serve(ctx, map, modbus_get_socket(ctx)) == 0)
            return 0;
        modbus_close(ctx);
    }
}
