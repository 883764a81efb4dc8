internal import Glibc

/// A moment on somebody's wall, for `strftime_now`.
public struct TemplateDate: Sendable {
  /// The year.
  public let year: Int
  /// The month, from 1.
  public let month: Int
  /// The day of the month, from 1.
  public let day: Int
  /// Hour, minute and second.
  public let (hour, minute, second): (Int, Int, Int)

  /// A moment.
  public init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    (self.year, self.month, self.day) = (year, month, day)
    (self.hour, self.minute, self.second) = (hour, minute, second)
  }

  /// This moment, in local time.
  public static var now: TemplateDate {
    var seconds = time_t()
    var parts = unsafe tm()
    // Both are the caller's own and are filled before the calls return.
    unsafe time(&seconds)
    _ = unsafe localtime_r(&seconds, &parts)
    return TemplateDate(
      year: Int(unsafe parts.tm_year) + 1900, month: Int(unsafe parts.tm_mon) + 1,
      day: Int(unsafe parts.tm_mday), hour: Int(unsafe parts.tm_hour),
      minute: Int(unsafe parts.tm_min), second: Int(unsafe parts.tm_sec))
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let weekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// The day of the year, from 0.
  private var dayOfYear: Int {
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month - 1]
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return before + day - 1 + (isLeap && month > 2 ? 1 : 0)
  }

  /// The day of the week, 0 for Sunday.
  private var weekday: Int {
    let before = year - 1
    return (before * 365 + before / 4 - before / 100 + before / 400 + dayOfYear + 1) % 7
  }

  /// The moment as `strftime` writes it in the C locale.
  func written(_ format: Text) throws(Fault) -> Text {
    var text = ""
    var rest = format[...]
    func two(_ number: Int, _ pad: String = "0") -> String {
      number < 10 ? "\(pad)\(number)" : "\(number)"
    }
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        text.unicodeScalars.append(scalar)
        continue
      }
      var isBare = false
      if rest.first == "-" {
        isBare = true
        rest.removeFirst()
      }
      guard let letter = rest.popFirst() else { throw .notBuilt("a '%' at a date's end") }
      let pad = isBare ? "" : "0"
      switch letter {
      case "Y": text += "\(year)"
      case "y": text += two(year % 100, pad)
      case "C": text += two(year / 100, pad)
      case "m": text += two(month, pad)
      case "d": text += two(day, pad)
      case "e": text += two(day, isBare ? "" : " ")
      case "H": text += two(hour, pad)
      case "I": text += two((hour + 11) % 12 + 1, pad)
      case "M": text += two(minute, pad)
      case "S": text += two(second, pad)
      case "p": text += hour < 12 ? "AM" : "PM"
      case "B": text += Self.months[month - 1]
      case "b", "h": text += Self.months[month - 1].prefix(3)
      case "A": text += Self.weekdays[weekday]
      case "a": text += Self.weekdays[weekday].prefix(3)
      case "w": text += "\(weekday)"
      case "u": text += "\(weekday == 0 ? 7 : weekday)"
      case "j":
        let number = "\(dayOfYear + 1)"
        text += (isBare ? "" : String(repeating: "0", count: 3 - number.count)) + number
      case "F": text += "\(year)-\(two(month))-\(two(day))"
      case "T": text += "\(two(hour)):\(two(minute)):\(two(second))"
      case "R": text += "\(two(hour)):\(two(minute))"
      case "D", "x": text += "\(two(month))/\(two(day))/\(two(year % 100))"
      case "X": text += "\(two(hour)):\(two(minute)):\(two(second))"
      case "n": text += "\n"
      case "t": text += "\t"
      case "%": text += "%"
      default: throw .notBuilt("'%\(letter)' in a date")
      }
    }
    return Text(text)
  }
}
