"""What foreign key answers must look like before nio's machine sees them.

nio 0.26 lets vodozemac's KeyException out: one malformed device key of any member ends a sync for good, one malformed
one-time key blocks a room, and one answer outside its schema voids everybody else's. So each user, device and key is
looked at by itself, signatures included, and what is not sound does not exist.
"""

from bot.platforms.matrix.signing import at, is_curve25519, is_signed
from bot.platforms.matrix.wire import Json


def sound_devices(user_id: str, devices: object) -> dict[str, Json]:
    """Return the devices of one user's answer that are well-formed, theirs and signed by themselves."""
    if not isinstance(devices, dict):
        return {}
    return {
        device_id: _tidied(device)
        for device_id, device in devices.items()
        if isinstance(device, dict) and _is_sound(user_id, device_id, device)
    }


def sound_one_time_keys(user_id: str, device_id: str, ed25519: str, keys: object) -> Json | None:
    """Return one device's claimed key, if it is well-formed and signed by the device (spec: «Key objects»)."""
    if not isinstance(keys, dict):
        return None
    for name, key in keys.items():
        if (
            str(name).startswith("signed_curve25519:")
            and isinstance(key, dict)
            and is_curve25519(key.get("key"))
            and is_signed(key, user_id, device_id, ed25519)
        ):
            return {str(name): key}
    return None


def _is_sound(user_id: str, device_id: str, device: Json) -> bool:
    ed25519 = at(device, "keys", f"ed25519:{device_id}")
    algorithms = device.get("algorithms")
    return (
        device.get("user_id") == user_id
        and device.get("device_id") == device_id
        and isinstance(algorithms, list)
        and is_curve25519(at(device, "keys", f"curve25519:{device_id}"))
        and is_signed(device, user_id, device_id, ed25519)
    )


def _tidied(device: Json) -> Json:
    """Leave of the unsigned part, which anybody can fill, only a name that is a name."""
    name = at(device, "unsigned", "device_display_name")
    return {**device, "unsigned": {"device_display_name": name if isinstance(name, str) else ""}}
