;;; emacs.el --- jsonrpc.el as it comes -*- lexical-binding: t; -*-

;;; Commentary:

;; Speaks through jsonrpc.el with the binary in PLUGD_BINARY, and prints a
;; line for each step.

;;; Code:

(require 'jsonrpc)

(defvar seen nil "All notifications, the newest first.")

(defun check (step fine why)
  "Print that STEP is FINE, or WHY not."
  ;; `princ' keeps back what goes into a pipe, and the test waits for it.
  (send-string-to-terminal
   (if fine (format "step %s ok\n" step) (format "step %s failed: %S\n" step why)))
  (unless fine (kill-emacs 1)))

(defun wait-until (fine &optional seconds)
  "Handle input until FINE answers something, at most SECONDS or 20."
  (with-timeout ((or seconds 20) nil)
    (let (found)
      (while (not (setq found (funcall fine)))
        (accept-process-output nil 0.01))
      found)))

(defun installed (connection)
  "Ask through CONNECTION which version of the plugin is installed."
  (let ((listing (jsonrpc-request connection :plugin/list nil)))
    (plist-get (aref (plist-get (aref (plist-get listing :marketplaces) 0) :plugins) 0)
               :installedVersion)))

(let* ((connection
        (make-instance
         'jsonrpc-process-connection
         :name "plugd"
         :notification-dispatcher (lambda (_ method params) (push (cons method params) seen))
         :process (make-process :name "plugd" :connection-type 'pipe :noquery t
                                :command (list (getenv "PLUGD_BINARY") "app-server"))))
       (hello (jsonrpc-request connection :initialize '(:clientInfo (:name "emacs-jsonrpc"))))
       listing plugin reading)
  (check "initialize" (equal "plugd" (plist-get (plist-get hello :serverInfo) :name)) hello)
  (jsonrpc-notify connection :initialized nil)
  (setq listing (jsonrpc-request connection :plugin/list nil))
  (setq plugin (list :marketplacePath (plist-get (aref (plist-get listing :marketplaces) 0) :path)
                     :pluginName "hello"))
  (check "list" (plist-get plugin :marketplacePath) listing)
  (setq reading (jsonrpc-request connection :plugin/read plugin))
  (check "read" (equal "Says hello" (plist-get (plist-get reading :plugin) :description)) reading)
  ;; Something holds the installation up, so only a cancelled one is answered soon.
  (let ((answers nil))
    (jsonrpc-async-request
     connection :plugin/install plugin
     :success-fn (lambda (result) (push (cons 'result result) answers))
     :error-fn (lambda (err) (push (cons 'error (plist-get err :code)) answers)))
    ;; The library tells nobody the id of a request, and cancels none; it counts them.
    (jsonrpc-notify connection :$/cancelRequest
                    (list :id (jsonrpc--next-request-id connection)))
    (wait-until (lambda () answers) 3)
    (check "cancel" (and (equal '((error . -32800)) answers) (not (installed connection)))
           answers))
  (let ((installed (jsonrpc-request connection :plugin/install
                                    (append plugin '(:workDoneToken "installing")))))
    (let ((kinds (wait-until
                  (lambda ()
                    (let (kinds)
                      (dolist (one seen)
                        (when (and (eq '$/progress (car one))
                                   (equal "installing" (plist-get (cdr one) :token)))
                          (push (plist-get (plist-get (cdr one) :value) :kind) kinds)))
                      (and (member "end" kinds) kinds))))))
      (check "progress" (and (equal "begin" (car kinds)) (member "report" kinds)) seen))
    (check "install" (and (equal "1.0.0" (plist-get installed :installedVersion))
                          (equal "1.0.0" (installed connection)))
           installed))
  (jsonrpc-request connection :plugin/uninstall '(:pluginId "hello@demo"))
  (check "uninstall" (not (installed connection)) (installed connection))
  (jsonrpc-shutdown connection))

;;; emacs.el ends here
